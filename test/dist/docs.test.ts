import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { faultsOf, modulesOf, pages, ROOT, snippetsOf } from '../docs/snippets.js';

const WRONG = [
  '# A page',
  '',
  '```ts',
  "import { createVenueKit } from 'venuekit';",
  '',
  'const made = createVenueKit({ marketDatum: adapter });',
  '```',
  '',
  '```',
  'not = code',
  '```',
  '',
  '```ts',
  "import { nothing } from 'venuekit/pool';",
  'const made: number = kit.bus;',
  'unheardOf();',
  '```',
].join('\n');

/** Pages whose snippets can be run against a simulated venue, and what they print there. */
const PRINTS: Readonly<Record<string, readonly unknown[]>> = {
  'README.md': [expect.stringMatching(/^(?:working|partially_filled|filled) [\d.]+$/)],
  'docs/how-to/put-it-under-ccxt.md': [],
  'docs/concepts/market-data.md': [],
  'docs/concepts/parallel-fetcher.md': ['1 of 2', '2 of 2'],
  'docs/concepts/simulated-venue.md': [],
  'docs/concepts/resilience/pipeline.md': [],
  'docs/concepts/analytics/anomalies.md': ['alarm: 900 where 20 was expected'],
  'docs/concepts/analytics/forecast.md': [],
};

describe('the TypeScript on the pages', () => {
  const read = new Map(pages().map((page) => [page, readFileSync(join(ROOT, page), 'utf8')]));
  const withCode = [...read].filter(([, text]) => /^```(?:ts|js)/m.test(text)).map(([page]) => page);
  let faults: ReturnType<typeof faultsOf>;
  beforeAll(() => {
    if (!existsSync(join(ROOT, 'dist/index.d.ts'))) throw new Error('dist/ is missing: run `npm run build` first');
    faults = faultsOf(new Map([...read, ['docs/wrong.md', WRONG]]));
  });

  it('is found wherever a page has a fence for it', () => {
    expect(withCode).toContain('README.md');
    for (const [page, text] of read) expect(snippetsOf(text), page).toHaveLength(text.match(/^```(?:ts|typescript|js|javascript)\b/gm)?.length ?? 0);
  });

  it.each(withCode)('%s compiles against the published types', (page) => expect(faults.get(page)).toEqual([]));

  it('is refused on its line where it is wrong', () => {
    expect(faults.get('docs/wrong.md')).toEqual([
      expect.stringMatching(/^docs\/wrong\.md:1: .*no exported member 'nothing'/),
      expect.stringMatching(/^docs\/wrong\.md:6: .*'marketDatum' does not exist in type/s),
      expect.stringMatching(/^docs\/wrong\.md:15: Type '\w+' is not assignable to type 'number'/),
      expect.stringMatching(/^docs\/wrong\.md:16: Cannot find name 'unheardOf'/),
    ]);
  });

  it('is read with a known word after its language alone, and to the end of its fence', () => {
    expect(() => modulesOf('```ts skip\n```', new Set())).toThrow('line 1: a fence may say "alone", not "skip"');
    expect(() => snippetsOf('text\n```ts\nconst a = 1;')).toThrow('line 2: the fence is never closed');
  });

  it('runs to its end where a simulated venue is all that it needs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'venuekit-docs-'));
    try {
      const args = ['--import', import.meta.resolve('tsx'), join(ROOT, 'test/docs/run.ts'), ...Object.keys(PRINTS)];
      const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: folder });
      expect(JSON.parse(stdout)).toEqual(PRINTS);
      expect(stderr).toBe('');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
