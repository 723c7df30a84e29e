import ccxt from 'ccxt';
import { describe, expect, it } from 'vitest';
import { toAdapter } from '../../../../src/sdk/ccxt/index.js';

/** A real ccxt client whose requests go nowhere but into a list. */
const givenAnExchange = () => {
  const sdk = new ccxt.binance({ apiKey: 'k3y', secret: 's3cret' });
  const market = (symbol: string, spot: boolean) => ({
    id: 'BTCUSDT',
    symbol,
    base: 'BTC',
    quote: 'USDT',
    spot,
    swap: !spot,
    type: spot ? 'spot' : 'swap',
    contract: !spot,
    linear: !spot,
  });
  sdk.setMarkets([market('BTC/USDT', true), market('BTC/USDT:USDT', false)] as never);
  const sent: string[] = [];
  sdk.fetch = (url: string, method = 'GET') => {
    sent.push(`${method} ${url}`);
    return Promise.reject(new ccxt.NetworkError(`binance ${method} ${url} fetch failed: read ECONNRESET`));
  };
  return { adapter: toAdapter(sdk), sent };
};
const attempt = { signal: new AbortController().signal, number: 1, venueNow: 1_700_000_000_000, fenceMs: 1_000 };
const intent = { side: 'buy', type: 'market', qty: '1' } as const;

describe('the ccxt adapter of Binance', () => {
  it.each(['BTC/USDT:USDT', 'BTCUSDT'])('regression: an order for %s, which is no spot symbol, went to the spot endpoint', async (symbol) => {
    const { adapter, sent } = givenAnExchange();
    expect(await adapter.place({ ...intent, symbol }, 'mine', attempt)).toMatchObject({ kind: 'rejected', code: 'UNKNOWN_SYMBOL' });
    expect(sent).toEqual([]);
  });

  it('regression: misspelt capabilities were silently left at their defaults', () => {
    const sdk = new ccxt.binance({ apiKey: 'k3y', secret: 's3cret' });
    expect(() => toAdapter(sdk, { capabilities: { visibilityLag: 1 } as never })).toThrow(
      /no option "visibilityLag"; did you mean "visibilityLagMs"/,
    );
    expect(() => toAdapter(sdk, { capabilities: { fence: { maxMs: 90_000, defaultMs: 1_000 } } })).toThrow(
      /fence\.maxMs must be between 1 and 60000, got 90000/,
    );
  });

  it('regression: a cancel named the client id though it knew which of two orders was meant', async () => {
    const { adapter, sent } = givenAnExchange();
    await adapter.cancel({ symbol: 'BTC/USDT', clientOrderId: 'mine', venueOrderId: '42' }, attempt);
    await adapter.cancel({ symbol: 'BTC/USDT', clientOrderId: 'mine' }, attempt);
    expect(sent[0]).toMatch(/orderId=42/);
    expect(sent[0]).not.toMatch(/origClientOrderId/);
    expect(sent[1]).toMatch(/origClientOrderId=mine/);
  });

  it('regression: signed URLs left the adapter inside the errors of the SDK', async () => {
    const { adapter, sent } = givenAnExchange();
    const verdict = (await adapter.cancel({ symbol: 'BTC/USDT', clientOrderId: 'mine' }, attempt)) as { kind: string; cause: Error };
    const lookup = (await adapter.find({ symbol: 'BTC/USDT', clientOrderId: 'mine' }, attempt).then(undefined, (error: unknown) => error)) as Error;
    const signatures = sent.map((line) => /signature=(\w+)/.exec(line)![1]!);
    expect(signatures).toHaveLength(2);
    for (const error of [verdict.cause, lookup]) {
      expect(error).toBeInstanceOf(ccxt.NetworkError);
      for (const signature of signatures) expect(`${error.message}${error.stack}`).not.toContain(signature);
    }
    expect(verdict.kind).toBe('unknown');
  });
});
