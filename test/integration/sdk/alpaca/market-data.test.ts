import ccxt from 'ccxt';
import { describe, expect, it } from 'vitest';
import { toAdapter as toAlpacaAdapter } from '../../../../src/sdk/alpaca/index.js';
import { toAdapter as toCcxtAdapter } from '../../../../src/sdk/ccxt/index.js';
import { serveAlpaca } from '../../../../src/testing/index.js';
import { alpacaVenue, newV3, newV4 } from './given.js';

const attempt = { signal: new AbortController().signal, number: 1 };

describe.each([
  ['@alpacahq/alpaca-trade-api 3', newV3, toAlpacaAdapter],
  ['@alpacahq/alpaca-trade-api 4', newV4, toAlpacaAdapter],
  ['ccxt alpaca', () => new ccxt.alpaca({ enableRateLimit: false }), toCcxtAdapter],
] as const)('market data through toAdapter(%s)', (_, make, toAdapter) => {
  it('gives quotes of shares and crypto together, and says which symbol is unknown', async () => {
    await using served = await serveAlpaca(alpacaVenue());
    const adapter = toAdapter(served.connect(make()));
    const requests = ['AAPL', 'NOSUCH', 'BTC/USD', 'MSFT'].map((symbol) => ({ symbol }));
    const answers = await adapter.fetch('quote', requests, attempt);
    expect(
      answers.map((answer) => (answer.status === 'fulfilled' ? Math.round(answer.value.bid) : (answer.reason as { code?: string }).code)),
    ).toEqual([200, 'UNKNOWN_SYMBOL', 49_998, 400]);
  });

  it('gives bars, trades, instruments, and books of crypto alone', async () => {
    await using served = await serveAlpaca(alpacaVenue());
    const adapter = toAdapter(served.connect(make()));
    for (const symbol of ['AAPL', 'BTC/USD']) {
      const [bars] = await adapter.fetch('bars', [{ symbol, interval: '1m', limit: 5 }], attempt);
      expect(bars).toMatchObject({ status: 'fulfilled', value: { symbol, interval: '1m', lastBar: 'forming' } });
      const columns = bars?.status === 'fulfilled' ? bars.value : undefined;
      expect(columns?.t).toHaveLength(5);
      expect([...(columns?.t ?? [])].every((t, i, all) => i === 0 || t === all[i - 1]! + 60_000)).toBe(true);
      const [trades] = await adapter.fetch('trades', [{ symbol, limit: 3 }], attempt);
      expect(trades?.status === 'fulfilled' && trades.value.map(({ eventTime }) => eventTime)).toSatisfy((times: number[]) => times[0]! < times[2]!);
    }
    expect(await adapter.fetch('instrument', [{ symbol: 'AAPL' }], attempt)).toEqual([
      { status: 'fulfilled', value: { symbol: 'AAPL', priceStep: '0.01', qtyStep: '0.000000001' } },
    ]);
    expect(await adapter.fetch('instrument', [{ symbol: 'BTC/USD' }], attempt)).toEqual([
      { status: 'fulfilled', value: { symbol: 'BTC/USD', priceStep: '0.01', qtyStep: '0.00001' } },
    ]);
    const [book] = await adapter.fetch('book', [{ symbol: 'BTC/USD', depth: 5 }], attempt);
    expect(book?.status === 'fulfilled' && [book.value.bids.length, book.value.asks.length]).toEqual([5, 5]);
    expect(await adapter.fetch('book', [{ symbol: 'AAPL' }], attempt)).toMatchObject([{ status: 'rejected', reason: { code: 'UNSUPPORTED' } }]);
    expect(await adapter.fetch('bars', [{ symbol: 'NOSUCH', interval: '1m' }], attempt)).toMatchObject([
      { status: 'rejected', reason: { code: 'UNKNOWN_SYMBOL' } },
    ]);
  });
});
