import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const LIMIT_MS = 60_000;

/**
 * What each example prints, as far as it does not depend on the machine. An example that isn't here
 * fails: say what it shows.
 */
const PRINTS: Readonly<Record<string, readonly RegExp[]>> = {
  'fetch.ts': [/300 of 300 fetched, 12 retries after a 429/, /at most 12 running/, /40 results streamed as they came/],
  'market-data.ts': [/requests to the venue 25/, /peek, 100 ms old  nothing that young/, /for an order      bypass/],
  'pool.ts': [/200 orders acknowledged over [1-5] sessions/, /order after the drop \([1-9] new session/],
  'strategy.ts': [/525,600 minute bars, 396 orders, 348 fills/, /log hash 0baf4e2b166e25d77d3eb5cf8c17b5348284dfa63d0824a21e880a166b867ede/],
  'alert-trips-breaker.ts': [
    /breaker of place: open\n.*action trip_breaker \(auto\): done/,
    /alert error-rate \(critical\): recovering → inactive/,
    /0 alerts are open, and the breaker of placements is closed/,
  ],
  'dashboard-in-express.ts': [/open at http:\/\/127\.0\.0\.1:\d+\/desk\/\?token=…\nwith the token 200, without 401/],
  'dashboard-in-fastify.ts': [/open at http:\/\/127\.0\.0\.1:\d+\/desk\/\?token=…\nwith the token 200, without 401/],
  'dashboard-in-hono.ts': [/open at http:\/\/127\.0\.0\.1:\d+\/desk\/\?token=…\nwith the token 200, without 401/],
  'dashboard-in-node-http.ts': [/with the token 200, without 401/],
  'alpaca-resilient.ts': [
    /raw SDK in a retry loop: 2 orders at the venue for one that was wanted/,
    /resilient: 1 order at the venue for one call, filled/,
    /PermissionError REJECTED yes/,
  ],
  'binance-resilient.ts': [
    /@binance\/connector: 2 raw, 1 resilient/,
    /binance: 2 raw, 1 resilient/,
    /@binance\/spot: 2 raw, 1 resilient/,
    /binance-api-node: 2 raw, 1 resilient/,
    /REJECTED yes/,
  ],
  'ccxt-resilient.ts': [/raw ccxt: 2 orders at the venue for one call/, /resilient: 1 order at the venue for one call, closed/],
  'kraken-resilient.ts': [
    /raw ccxt: 2 orders at the venue for one call/,
    /resilient: 1 order at the venue for one call, closed/,
    /true REJECTED yes/,
  ],
};

const run = promisify(execFile);

describe('the examples, as a user runs them', () => {
  const examples = readdirSync(join(ROOT, 'examples'), { withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.endsWith('.ts'));

  it('are all here', () => expect(examples.map(({ name }) => name).sort()).toEqual(Object.keys(PRINTS).sort()));

  for (const { name } of examples) {
    it(`${name} runs to its end and prints what it promises`, { timeout: LIMIT_MS + 5_000 }, async () => {
      const { stdout, stderr } = await run(process.execPath, ['--import', 'tsx', join('examples', name)], { cwd: ROOT, timeout: LIMIT_MS });
      for (const line of PRINTS[name] ?? []) expect(stdout).toMatch(line);
      expect(stderr).toBe('');
    });
  }
});
