import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type CertificationReport, renderCertification } from '../../certification/index.js';
import type { Terminal } from '../terminal.js';

/** Where a report is to be written, too. */
export interface ReportFiles {
  readonly html?: string;
  readonly pdf?: string;
}

/** Writes the page and the PDF that were asked for. */
export async function writeReports(report: CertificationReport, { html, pdf }: ReportFiles, terminal: Terminal): Promise<void> {
  for (const [format, path] of [
    ['html', html],
    ['pdf', pdf],
  ] as const) {
    if (path === undefined) continue;
    const bytes = await renderCertification(report, { format });
    await mkdir(dirname(path), { recursive: true });
    // What stood there before stays until this is whole.
    await writeFile(`${path}.part`, bytes);
    await rename(`${path}.part`, path);
    terminal.err(`${path}, ${bytes.length} bytes\n`);
  }
}
