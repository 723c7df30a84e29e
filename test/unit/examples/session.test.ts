import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { BotLog } from '../../../examples/session/bot.js';
import { judge, percentiles } from '../../../examples/session/judge.js';
import { loadSession } from '../../../examples/session/recorded-session.js';

const packed = new URL('../../../examples/session/data/btc_session.csv.gz', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'venuekit-session-'));
const givenAFile = (name: string, bytes: Uint8Array | string): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

describe('the recorded session', () => {
  it('holds 16 h 52 min of three symbols, in order of time', () => {
    const bars = loadSession(packed);
    expect(bars).toHaveLength(3_024);
    expect(new Set(bars.map((bar) => bar.symbol))).toEqual(new Set(['BTCUSD', 'ETHUSD', 'LTCUSD']));
    expect([bars[0]?.t, bars.at(-1)?.t]).toEqual([Date.UTC(2018, 3, 4), Date.UTC(2018, 3, 4, 16, 52)]);
  });

  it('says which file is missing, cut or no session, and what to do', () => {
    expect(() => loadSession(join(folder, 'nowhere.csv.gz'))).toThrow(/nowhere\.csv\.gz can't be read.*Restore it/s);
    expect(() => loadSession(givenAFile('cut.csv.gz', readFileSync(packed).subarray(0, 20_000)))).toThrow(
      /cut\.csv\.gz is cut or damaged \(20000 bytes/,
    );
    expect(() => loadSession(givenAFile('other.csv.gz', gzipSync('a,b\n1,2\n')))).toThrow(/the first line must be "t,symbol/);
    expect(() => loadSession(givenAFile('bad.csv.gz', gzipSync('t,symbol,open,high,low,close,volume\n1,BTCUSD,1,2,1,x,3\n')))).toThrow(
      /line 2 is no bar/,
    );
    expect(() => loadSession(givenAFile('empty.csv.gz', gzipSync('t,symbol,open,high,low,close,volume\n')))).toThrow(/has no bars|line 2 is no bar/);
  });
});

describe('the judge', () => {
  const order = (number: number) => ({ number, symbol: 'BTC/USD', side: 'buy', type: 'market', qty: '1' }) as const;
  const atVenue = (clientOrderId: string) =>
    ({
      clientOrderId,
      venueOrderId: clientOrderId,
      state: 'filled',
      symbol: 'BTC/USD',
      side: 'buy',
      qty: '1',
      filledQty: '1',
      venueTime: 0,
    }) as const;
  const log = (orders: number, failed: readonly number[] = []): BotLog => ({
    readLatenciesMs: [],
    orderLatenciesMs: [],
    readErrors: [],
    failedOrders: new Map(failed.map((number) => [number, 'error'])),
    orders: Array.from({ length: orders }, (_, number) => order(number)),
  });
  const intentOf = (id: string): number | undefined => (id.startsWith('i') ? Number(id.slice(1, 2)) : undefined);
  const nothingProved = (): boolean => false;

  it('finds nothing wrong where each intent has one order', () => {
    expect(judge(log(2), [atVenue('i0'), atVenue('i1')], intentOf, nothingProved)).toEqual({ ordersAtVenue: 2, duplicates: 0, orphans: 0, lost: 0 });
  });

  it('counts a second order for one intent as a duplicate, orders that the bot gave up or never made as orphans, and missing ones as lost', () => {
    const verdicts = judge(log(4, [1, 2]), [atVenue('i0a'), atVenue('i0b'), atVenue('i1'), atVenue('stranger')], intentOf, (number) => number === 3);
    expect(verdicts).toEqual({ ordersAtVenue: 4, duplicates: 1, orphans: 2, lost: 1 });
  });

  it('gives nearest-rank percentiles', () => {
    expect(percentiles(Array.from({ length: 100 }, (_, i) => 100 - i))).toEqual({ p50: 50, p95: 95, p99: 99 });
    expect(percentiles([])).toEqual({ p50: 0, p95: 0, p99: 0 });
  });
});
