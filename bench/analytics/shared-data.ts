import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Public benchmark data that may not be copied into the project: read where it lies beside it. */
const SHARED = new URL('../../../shared/data/analytics/', import.meta.url);

/** Undefined where the data is absent: the table is then left out, and says so. */
export function sharedPath(path: string): string | undefined {
  const full = fileURLToPath(new URL(path, SHARED));
  return existsSync(full) ? full : undefined;
}

export function readLines(path: string): string[] {
  return readFileSync(path, 'utf8').trim().split(/\r?\n/);
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** A table of targets, as the other benches print them. */
export function targets(rows: readonly { readonly target: string; readonly reached: string; readonly met: boolean }[]): string {
  return table(
    ['target', 'reached', ''],
    rows.map(({ target, reached, met }) => [target, reached, met ? 'met' : 'MISSED']),
  );
}
