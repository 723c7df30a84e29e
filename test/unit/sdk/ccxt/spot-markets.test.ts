import { describe, expect, it } from 'vitest';
import type { CcxtBinance, CcxtMarket } from '../../../../src/sdk/ccxt/exchange.js';
import { SpotMarkets } from '../../../../src/sdk/ccxt/spot-markets.js';

const spot: CcxtMarket = { id: 'BTCUSDT', symbol: 'BTC/USDT', spot: true };
const perpetual: CcxtMarket = { id: 'BTCUSDT', symbol: 'BTC/USDT:USDT', spot: false };
const byName = (...markets: readonly CcxtMarket[]): Record<string, CcxtMarket> =>
  Object.fromEntries(markets.map((market) => [market.symbol, market]));

describe('SpotMarkets', () => {
  it('are not there before ccxt has loaded any', () => {
    const sdk: Partial<CcxtBinance> = {};
    const markets = new SpotMarkets(sdk as CcxtBinance);
    expect(markets.areLoaded).toBe(false);
    sdk.markets = {};
    expect(markets.areLoaded).toBe(false);
    expect(markets.symbolOf('BTCUSDT')).toBeUndefined();
    sdk.markets = byName(spot);
    expect(markets.areLoaded).toBe(true);
  });

  it('never take a derivative for the spot market whose id it shares', () => {
    const markets = new SpotMarkets({ markets: byName(spot, perpetual) } as unknown as CcxtBinance);
    expect(markets.symbolOf('BTCUSDT')).toBe('BTC/USDT');
    expect(markets.get('BTC/USDT')).toBe(spot);
    expect(markets.get('BTC/USDT:USDT')).toBeUndefined();
    expect(markets.get('BTCUSDT')).toBeUndefined();
  });

  it('are read anew when ccxt has loaded them again', () => {
    const sdk = { markets: byName(spot) };
    const markets = new SpotMarkets(sdk as unknown as CcxtBinance);
    expect(markets.symbolOf('ETHUSDT')).toBeUndefined();
    sdk.markets = byName({ id: 'ETHUSDT', symbol: 'ETH/USDT', spot: true });
    expect(markets.symbolOf('ETHUSDT')).toBe('ETH/USDT');
    expect(markets.symbolOf('BTCUSDT')).toBeUndefined();
  });
});
