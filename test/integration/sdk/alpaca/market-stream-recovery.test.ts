import { describe, expect, it } from 'vitest';
import { interruptedStreams } from '../../../setup/interrupted-streams.js';
import { givenResilient, newV3, newV4, type V4 } from './given.js';

/** A message of a market stream, in one form for both versions. */
interface Told {
  readonly kind: 'trade' | 'bar' | 'quote';
  readonly id: string;
  readonly at: number;
  readonly price: number;
  readonly recovered: boolean;
}

/** @returns what ends it */
type Follow = (sdk: object, symbol: string, take: (told: Told) => void) => () => void;

const followV4: Follow = (sdk, symbol, take) => {
  const { marketData } = sdk as V4;
  const stream = (symbol.includes('/') ? marketData.cryptoStream : marketData.stockStream).call(marketData, {
    initialReconnectMs: 50,
    reconnectJitter: 0,
  });
  const common = (value: { timestamp: Date }) => ({
    at: value.timestamp.getTime(),
    recovered: (value as { recovered?: boolean }).recovered === true,
  });
  stream.onTrade((trade) => take({ kind: 'trade', id: trade.idRaw!, price: trade.price, ...common(trade) }));
  stream.onBar((bar) => take({ kind: 'bar', id: bar.timestampRaw!, price: bar.close, ...common(bar) }));
  stream.onQuote((quote) => take({ kind: 'quote', id: quote.timestampRaw!, price: quote.bidPrice, ...common(quote) }));
  stream.subscribeForTrades([symbol]);
  stream.subscribeForBars([symbol]);
  stream.subscribeForQuotes([symbol]);
  stream.connect();
  return () => stream.disconnect();
};

interface V3Stream {
  onConnect(listener: () => void): void;
  on(event: string, listener: (message: Record<string, never>) => void): void;
  subscribeForTrades(symbols: string[]): void;
  subscribeForBars(symbols: string[]): void;
  subscribeForQuotes(symbols: string[]): void;
  connect(): void;
  disconnect(): void;
}

const followV3: Follow = (sdk, symbol, take) => {
  const { data_stream_v2, crypto_stream_v1beta3 } = sdk as Record<string, V3Stream>;
  const stream = (symbol.includes('/') ? crypto_stream_v1beta3 : data_stream_v2)!;
  const of = (kind: Told['kind'], idOf: (message: Record<string, unknown>) => unknown, priceOf: (message: Record<string, unknown>) => unknown) => {
    return (message: Record<string, unknown>): void => {
      const at = message.Timestamp as Date;
      expect(at).toBeInstanceOf(Date);
      take({ kind, id: String(idOf(message)), at: at.getTime(), price: Number(priceOf(message)), recovered: message.recovered === true });
    };
  };
  stream.on(
    'stock_trades',
    of(
      'trade',
      ({ ID }) => ID,
      ({ Price }) => Price,
    ),
  );
  stream.on(
    'stock_bars',
    of(
      'bar',
      ({ Timestamp }) => Timestamp,
      ({ ClosePrice, Close }) => ClosePrice ?? Close,
    ),
  );
  stream.on(
    'stock_quotes',
    of(
      'quote',
      ({ Timestamp }) => Timestamp,
      ({ BidPrice }) => BidPrice,
    ),
  );
  stream.onConnect(() => {
    stream.subscribeForTrades([symbol]);
    stream.subscribeForBars([symbol]);
    stream.subscribeForQuotes([symbol]);
  });
  stream.connect();
  return () => stream.disconnect();
};

const patientV4 = (): V4 => newV4({ timeoutMs: 10_000 });

const CASES = [
  ['3', 'AAPL', newV3, followV3],
  ['3', 'BTC/USD', newV3, followV3],
  ['4', 'AAPL', patientV4, followV4],
  ['4', 'BTC/USD', patientV4, followV4],
] as const;

/** A bot that follows one symbol at a venue whose clock can jump, and what it has been told. */
async function given(make: () => object, follow: Follow, symbol: string, options: object = {}) {
  const streams = interruptedStreams();
  const { bus, clock } = streams;
  const given = await givenResilient(make, { bus, clock, policy: { timeoutMs: 10_000 }, ...options }, { clock, volatility: 0.5 });
  const told: Told[] = [];
  const leave = follow(given.sdk, symbol, (one) => {
    told.push(one);
    streams.woken();
  });
  return {
    ...given,
    ...streams,
    told,
    [Symbol.asyncDispose]: async () => {
      leave();
      await given[Symbol.asyncDispose]();
    },
  };
}

const trades = (told: readonly Told[]) => told.filter(({ kind }) => kind === 'trade');

/** What the venue's own list has of that time. */
async function tape(served: { url: string; credentials: { apiKey: string; secret: string } }, symbol: string, from: number, to: number) {
  const rows: { t: string; i: number; p: number }[] = [];
  const path = symbol.includes('/') ? '/v1beta3/crypto/us/trades' : '/v2/stocks/trades';
  const query = new URLSearchParams({ symbols: symbol, start: new Date(from).toISOString(), end: new Date(to).toISOString(), limit: '10000' });
  const answer = await fetch(`${served.url}${path}?${query.toString()}`, {
    headers: { 'APCA-API-KEY-ID': served.credentials.apiKey, 'APCA-API-SECRET-KEY': served.credentials.secret },
  });
  const { trades: all } = (await answer.json()) as { trades: Record<string, typeof rows> };
  return all[symbol]!.map(({ t, i, p }) => ({ id: String(i), at: Date.parse(t), price: p }));
}

describe.concurrent.each(CASES)('a market stream of a resilient @alpacahq/alpaca-trade-api %s, of %s', (_, symbol, make, follow) => {
  it('tells the trades, bars and the quote of an interruption, in order, each once, and goes on', { timeout: 30_000 }, async () => {
    await using bot = await given(make, follow, symbol);
    const { told, until, interrupt, recoveries, states, served, venue } = bot;
    await until(() => trades(told).length >= 2);
    interrupt(venue, 150_000);
    await until(() => recoveries.length === 3 && states.at(-1) === 'live');
    const count = trades(told).length;
    await until(() => trades(told).length >= count + 1);
    const seen = trades(told);
    const expected = await tape(served, symbol, seen[0]!.at, seen.at(-1)!.at);
    expect(seen.map(({ id, at, price }) => ({ id, at, price }))).toEqual(expected);
    expect(seen.filter(({ recovered }) => recovered).length).toBeGreaterThanOrEqual(149);
    expect([seen[0]!.recovered, seen.at(-1)!.recovered]).toEqual([false, false]);
    const bars = told.filter(({ kind }) => kind === 'bar').map(({ at }) => at);
    expect(bars.length).toBeGreaterThanOrEqual(2);
    expect(bars).toEqual(bars.map((__, i) => bars[0]! + i * 60_000));
    expect(recoveries.map(({ channel, symbol: of, isWhole }) => `${channel} ${of} ${isWhole}`).sort()).toEqual([
      `bars ${symbol} true`,
      `quotes ${symbol} true`,
      `trades ${symbol} true`,
    ]);
    expect(states).toEqual(['live', 'down', 'recovering', 'live']);
  });
});

describe.concurrent.each([CASES[0], CASES[2]] as const)(
  'bounds of what a resilient @alpacahq/alpaca-trade-api %s reads again, of %s',
  (_, symbol, make, follow) => {
    it('keep to the newest, and what is left out is said', { timeout: 30_000 }, async () => {
      const warnings: string[] = [];
      const logger = { debug: () => {}, info: () => {}, error: () => {}, warn: (__: unknown, message: string) => void warnings.push(message) };
      await using bot = await given(make, follow, symbol, { recovery: { maxRows: 40, maxAgeMs: 3_600_000 }, logger });
      const { told, until, interrupt, recoveries, venue } = bot;
      await until(() => trades(told).length >= 1);
      const before = trades(told).length;
      interrupt(venue, 150_000);
      await until(() => recoveries.length === 3);
      const recovered = trades(told)
        .slice(before)
        .filter(({ recovered: is }) => is);
      expect(recovered.length).toBeGreaterThanOrEqual(36);
      expect(recovered.length).toBeLessThanOrEqual(42);
      expect(recovered.map(({ id }) => Number(id))).toEqual(recovered.map((__, i) => Number(recovered[0]!.id) + i));
      expect(recoveries.find(({ channel }) => channel === 'trades')).toMatchObject({ isWhole: false });
      expect(warnings.filter((message) => message.includes('left out')).length).toBeGreaterThanOrEqual(1);
    });
  },
);
