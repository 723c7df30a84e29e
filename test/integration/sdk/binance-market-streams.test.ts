import ccxt from 'ccxt';
import { describe, expect, it } from 'vitest';
import type { MarketKind, OrderBook, StreamUpdate } from '../../../src/contracts/market-data.js';
import { systemClock } from '../../../src/core/clock.js';
import { CachedMarketDataClient } from '../../../src/market-data/index.js';
import { toAdapter } from '../../../src/sdk/ccxt/index.js';
import { closedAfterwards, givenServed } from '../served/given.js';

async function givenAdapter(...options: Parameters<typeof givenServed>) {
  const { venue, served } = await givenServed(...options);
  const exchange = served.connect(new ccxt.binance({ timeout: 10_000 }));
  await exchange.loadMarkets();
  return { venue, served, exchange, adapter: toAdapter(exchange) };
}

type Given = Awaited<ReturnType<typeof givenAdapter>>;

/** Reads a stream until `enough`, and says how it ended. */
async function read(
  adapter: Given['adapter'],
  kind: MarketKind,
  symbols: readonly string[],
  enough: (updates: readonly StreamUpdate[]) => boolean,
): Promise<readonly StreamUpdate[]> {
  const controller = new AbortController();
  const updates: StreamUpdate[] = [];
  try {
    for await (const update of adapter.stream!(kind, symbols, controller.signal)) {
      updates.push(update);
      if (enough(updates)) controller.abort(new Error('enough'));
    }
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  }
  return updates;
}

const values = (updates: readonly StreamUpdate[], symbol: string): readonly StreamUpdate[] =>
  updates.filter((update) => update.symbol === symbol && update.value !== undefined);

describe('market streams of the ccxt adapter', () => {
  it('stream best prices of several symbols, and attest that the quiet ones still hold', async () => {
    const { adapter } = await givenAdapter();
    const symbols = ['BTC/USDT', 'ETH/USDT'];
    const updates = await read(
      adapter,
      'quote',
      symbols,
      (all) => symbols.every((symbol) => values(all, symbol).length > 0) && all.some((one) => one.heartbeat === true),
    );
    for (const symbol of symbols)
      expect(values(updates, symbol)[0]).toMatchObject({
        kind: 'quote',
        value: { symbol, bid: expect.any(Number), ask: expect.any(Number) },
        seq: expect.any(Number),
      });
    expect(updates.find((one) => one.heartbeat === true)).toMatchObject({ symbol: '*' });
  });

  it('stream trades that say which one came before them', async () => {
    const { adapter } = await givenAdapter();
    const updates = values(await read(adapter, 'trades', ['BTC/USDT'], (all) => values(all, 'BTC/USDT').length >= 3), 'BTC/USDT');
    expect(updates[0]?.previousSeq).toBeUndefined();
    for (let i = 1; i < updates.length; i++) expect(updates[i]?.previousSeq).toBe(updates[i - 1]?.seq);
  });

  it('stream books that chain, and are the venue’s', async () => {
    const { adapter, served } = await givenAdapter();
    const updates = values(await read(adapter, 'book', ['BTC/USDT'], (all) => values(all, 'BTC/USDT').length >= 10), 'BTC/USDT');
    for (let i = 1; i < updates.length; i++) expect(updates[i]?.previousSeq).toBe(updates[i - 1]?.seq);
    const { bids, asks } = updates.at(-1)!.value as OrderBook;
    expect(bids.length).toBeGreaterThanOrEqual(100);
    expect(bids[0]![0]).toBeLessThan(asks[0]![0]);
    expect(served.stats().requestsByEndpoint['GET /api/v3/depth']).toBe(1);
  });

  it('tell a hole in the book at once, read another snapshot, and end with the venue’s book', async () => {
    const { adapter, venue, served } = await givenAdapter();
    const faults = [
      venue.fault({ operation: 'stream', when: 'after', kind: 'stream_gap', probability: 0.2 }),
      venue.fault({ operation: 'stream', when: 'after', kind: 'stream_duplicate', probability: 0.2 }),
      venue.fault({ operation: 'stream', when: 'after', kind: 'stream_reorder', probability: 0.1 }),
    ];
    let calmFrom = Infinity;
    const updates = await read(adapter, 'book', ['BTC/USDT'], (all) => {
      const gaps = all.filter(({ gap }) => gap === true).length;
      if (gaps >= 3 && calmFrom === Infinity) {
        for (const fault of faults) fault[Symbol.dispose]();
        calmFrom = all.length;
      }
      return values(all.slice(calmFrom), 'BTC/USDT').length >= 12;
    });
    let chain: number | undefined;
    for (const update of updates) {
      if (update.gap === true) chain = undefined;
      else if (update.value !== undefined) {
        if (chain !== undefined || update.previousSeq !== undefined) expect(update.previousSeq).toBe(chain);
        chain = update.seq;
      }
    }
    const last = updates.at(-1)!;
    const { market } = venue.core.desks.get('BTC/USDT')!;
    const truth = market.book((last.seq as number) * 100, 100);
    const { bids, asks } = last.value as OrderBook;
    expect(bids.slice(0, 100)).toEqual(truth.bids);
    expect(asks.slice(0, 100)).toEqual(truth.asks);
    expect(served.stats().requestsByEndpoint['GET /api/v3/depth']).toBeGreaterThan(1);
  });

  it('refuse a kind that they do not carry, and a symbol that the venue does not list', async () => {
    const { adapter } = await givenAdapter();
    await expect(read(adapter, 'bars', ['BTC/USDT'], () => true)).rejects.toThrow('kind must be one of "quote", "book", "trades"');
    await expect(read(adapter, 'quote', ['NO/SUCH'], () => true)).rejects.toThrow('NO/SUCH');
  });

  it('keep a cache fresh without requests, across a cut connection', async () => {
    const { adapter, venue, served } = await givenAdapter();
    const client = closedAfterwards(new CachedMarketDataClient({ adapter }));
    client.subscribe('quote', ['BTC/USDT']);
    // Longer than all of this takes on a slow machine, as long as the stream runs.
    const fresh = { maxAgeMs: 10_000 };
    const sentAt = (): number => systemClock.now() - (client.peek('quote', { symbol: 'BTC/USDT' }, fresh)?.ageMs ?? Infinity);
    await expect.poll(sentAt).toBeGreaterThan(0);
    const before = served.stats().requestsByEndpoint['GET /api/v3/ticker/bookTicker'] ?? 0;
    for (let i = 0; i < 10; i++) {
      await systemClock.sleep(50);
      expect((await client.get('quote', { symbol: 'BTC/USDT' }, fresh)).outcome).toBe('hit');
    }
    expect(served.stats().requestsByEndpoint['GET /api/v3/ticker/bookTicker'] ?? 0).toBe(before);
    venue.fault({ operation: 'stream', when: 'after', kind: 'stream_drop', times: 1 });
    await expect.poll(() => venue.log().some(({ type }) => type === 'fault')).toBe(true);
    const cutAt = systemClock.now();
    // Also what was sent right before the cut may arrive after it.
    await expect.poll(sentAt).toBeGreaterThan(cutAt + 500);
  });
});
