import { requireKnown, requireObject, requireOneOf } from '../../core/options.js';
import type { RenderDocumentOptions } from '../../dashboard/report/render-document.js';
import type { CertificationReport } from '../certification-report.js';
import { documentOf } from './document.js';

/** {@link renderCertification} */
export interface RenderCertificationOptions extends RenderDocumentOptions {
  readonly format: 'html' | 'pdf' | 'json';
}

/**
 * The report as a file: a page without scripts, A4 pages, or its JSON.
 * @throws VenueKitError `ASSETS_NOT_FOUND` for pdf where the package's own files can't be found
 */
export async function renderCertification(report: CertificationReport, options: RenderCertificationOptions): Promise<Uint8Array> {
  requireKnown('renderCertification', requireObject('options', options), ['format', 'assets', 'signal']);
  const format = requireOneOf('format', options.format, ['html', 'pdf', 'json']);
  if (format === 'json') return new TextEncoder().encode(`${JSON.stringify(report, undefined, 2)}\n`);
  const { renderDocument } = await import('../../dashboard/report/render-document.js');
  return renderDocument(documentOf(report), format, options);
}
