import { describe, expect, it } from 'vitest';
import { KeptWatches } from '../../../../src/sdk/ccxt/watching/kept-watches.js';
import type { CcxtReads, CcxtRow } from '../../../../src/sdk/ccxt/watching/watched-rows.js';
import { recoveryScene } from '../../../setup/recovery-scene.js';

const SYMBOL = 'XBT/USD';

/** An exchange that numbers nothing: its trades are told apart by their ids and have their time for an order. */
const given = (id = 'kraken') => {
  const { clock, recovery, recoveries } = recoveryScene('kraken');
  const happened: CcxtRow[] = [];
  const failing = { times: 0 };
  const fetchTrades = (_: string, since = 0): Promise<CcxtRow[]> =>
    failing.times-- > 0 ? Promise.reject(new Error('503')) : Promise.resolve(happened.filter(({ timestamp = 0 }) => timestamp >= since));
  const sdk = { id, fetchTrades } as unknown as CcxtReads;
  const kept = new KeptWatches(sdk, recovery);
  const waiting: ((rows: CcxtRow[]) => void)[] = [];
  const trade = (name: string): CcxtRow => {
    const row = { id: name, symbol: SYMBOL, timestamp: clock.now() };
    happened.push(row);
    return row;
  };
  const told: string[] = [];
  const next = async (): Promise<void> => {
    const rows = await kept.rows('watchTrades', [SYMBOL], () => new Promise((resolve) => waiting.push(resolve)));
    for (const { id: name, ...row } of rows) told.push(`${name}${'recovered' in row ? ' recovered' : ''}`);
  };
  const tell = (...rows: CcxtRow[]): void => waiting.shift()!(rows);
  return { clock, kept, recoveries, trade, told, next, tell, waiting, happened, failing };
};

describe('a watch of ccxt that is kept', () => {
  it('tells what a quiet market missed a second after there is a connection again, and loses nothing of the call that still waits', async () => {
    const { clock, kept, trade, told, next, tell, recoveries, waiting } = given();
    let running = next();
    tell(trade('a'));
    await running;
    kept.dropped();
    await clock.advance(6_000);
    trade('b');
    running = next();
    await clock.advance(6_000);
    kept.connected();
    await clock.advance(900);
    expect(told).toEqual(['a']);
    await clock.advance(200);
    await running;
    expect(told).toEqual(['a', 'b recovered']);
    running = next();
    await clock.advance(5_000);
    expect(waiting).toHaveLength(1);
    trade('c');
    await clock.advance(10);
    tell(trade('d'));
    await running;
    expect(told).toEqual(['a', 'b recovered', 'c recovered', 'd']);
    expect(recoveries).toEqual(['watchTrades XBT/USD 1 true', 'watchTrades XBT/USD 1 true']);
  });

  it('notices a connection that is lost while a call waits', async () => {
    const { clock, kept, trade, told, next, tell } = given();
    const first = next();
    tell(trade('a'));
    await first;
    const running = next();
    await clock.advance(6_000);
    kept.dropped();
    trade('b');
    kept.connected();
    await clock.advance(1_100);
    await running;
    expect(told).toEqual(['a', 'b recovered']);
  });

  it('reads again what could not be read, for as long as nothing else is told', async () => {
    const { clock, kept, trade, told, next, tell, recoveries, failing } = given();
    const first = next();
    tell(trade('a'));
    await first;
    const running = next();
    await clock.advance(6_000);
    kept.dropped();
    kept.connected();
    failing.times = 2;
    trade('b');
    await clock.advance(3_900);
    expect(told).toEqual(['a']);
    await clock.advance(3_200);
    await running;
    expect(told).toEqual(['a', 'b recovered']);
    expect(recoveries).toEqual(['watchTrades XBT/USD 0 false', 'watchTrades XBT/USD 0 false']);
  });

  it('gives calls that wait at the same time the same rows', async () => {
    const { kept, trade, tell, clock, happened } = given();
    const watch = (): Promise<CcxtRow[]> => new Promise((resolve) => (resolveLive = resolve));
    let resolveLive: (rows: CcxtRow[]) => void = () => {};
    const both = [kept.rows('watchTrades', [SYMBOL], watch), kept.rows('watchTrades', [SYMBOL], watch)];
    await clock.advance(1);
    resolveLive([trade('a')]);
    expect(await Promise.all(both)).toEqual([happened, happened]);
    expect(tell).toBeTypeOf('function');
  });

  it('leaves calls that ask for a part as they are', async () => {
    const { kept, trade } = given();
    const row = trade('a');
    const some = [row, row];
    expect(await kept.rows('watchTrades', [SYMBOL, undefined, 2], () => Promise.resolve(some))).toBe(some);
    expect(await kept.rows('watchTrades', [SYMBOL, 5], () => Promise.resolve(some))).toBe(some);
  });
});
