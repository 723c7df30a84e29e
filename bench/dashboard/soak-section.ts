import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** The page that the bench writes and the soak adds to: each keeps what the other has measured. */
const PAGE = 'docs/benchmarks/dashboard.md';
const HEADING = '### Open pages for minutes';

/** What the last soak that was told to write has left there; empty where there was none. */
export function soakSection(): string {
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  return page.includes(HEADING) ? page.slice(page.indexOf(HEADING)) : '';
}

export function writeSoakSection(text: string): void {
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '# Benchmarks: dashboard\n\n';
  const before = page.includes(HEADING) ? page.slice(0, page.indexOf(HEADING)) : `${page.trimEnd()}\n\n`;
  writeFileSync(PAGE, `${before}${HEADING}\n\n${text}`);
}
