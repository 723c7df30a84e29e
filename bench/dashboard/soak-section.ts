import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** Who reads what the server sends: pages in a real Chromium, or clients that read all of it and do nothing with it. */
export type SoakClients = 'pages' | 'plain';

/** The page that the bench writes and the soak adds to: each keeps what the other has measured. */
const PAGE = 'docs/benchmarks/dashboard.md';
const HEADINGS: Readonly<Record<SoakClients, string>> = { pages: '### Open pages for minutes', plain: '### Plain clients for minutes' };

const page = (): string => (existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '# Benchmarks: dashboard\n\n');

function sectionIn(text: string, heading: string): string {
  const from = text.indexOf(heading);
  if (from < 0) return '';
  const next = text.indexOf('\n### ', from + heading.length);
  return `${text.slice(from, next < 0 ? undefined : next).trimEnd()}\n`;
}

/** What the last soaks that were told to write have left there; empty where there was none. */
export function soakSection(): string {
  const text = page();
  return Object.values(HEADINGS)
    .map((heading) => sectionIn(text, heading))
    .filter((section) => section !== '')
    .join('\n');
}

export function writeSoakSection(clients: SoakClients, section: string): void {
  const text = page();
  const first = Math.min(...Object.values(HEADINGS).map((heading) => (text.includes(heading) ? text.indexOf(heading) : text.length)));
  const sections = (Object.keys(HEADINGS) as SoakClients[]).map((one) =>
    one === clients ? `${HEADINGS[one]}\n\n${section}` : sectionIn(text, HEADINGS[one]),
  );
  writeFileSync(
    PAGE,
    [text.slice(0, first).trimEnd(), '', ...sections.filter((one) => one !== '')]
      .join('\n')
      .replace(/\n(### )/g, '\n\n$1')
      .replace(/\n{3,}/g, '\n\n'),
  );
}
