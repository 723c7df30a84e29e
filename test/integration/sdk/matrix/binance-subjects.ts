import { expect } from 'vitest';
import { factsOf, ready, toAdapter } from '../../../../src/sdk/binance/index.js';
import { CAPABILITIES, givenResilient, madeAt, SDKS, type Shown, type Wanted } from '../binance/given.js';
import { ATTEMPT_MS, READY_MS, type ShownOrder, type Subject } from './subject.js';

const MARKET: Wanted = { symbol: 'BTCUSDT', quantity: '0.01', side: 'BUY' };
const LIMIT: Wanted = { ...MARKET, price: '40000' };
const KINDS = {
  'a market order': 'filled',
  'an order over an amount of money': 'filled',
  'a limit order answered with an ACK': 'open',
  'a limit order': 'open',
} as const;
const ORDERS = {
  'a market order': MARKET,
  'an order over an amount of money': { ...MARKET, money: '500' },
  'a limit order answered with an ACK': { ...LIMIT, answer: 'ACK' },
  'a limit order': LIMIT,
} as const;
const STATES: Readonly<Record<string, 'open' | 'filled' | 'canceled'>> = { NEW: 'open', FILLED: 'filled', CANCELED: 'canceled' };

const shown = ({ orderId, clientOrderId }: Shown): ShownOrder => ({ venueOrderId: String(orderId), clientOrderId });

/** The SDKs for Binance spot. */
export const BINANCE_SUBJECTS: readonly Subject[] = Object.entries(SDKS).map(([name, sdk]) => ({
  name,
  price: 50_000,
  kinds: KINDS,
  ambiguous: { when: 'after', kind: 'status', status: 503, code: -1007, times: 1 },
  bans: true,
  doublesRequests: true,
  open: async (policy) => {
    const sdkUnderTest = { ...sdk, make: () => sdk.make({ timeoutMs: ATTEMPT_MS }) };
    const given = await givenResilient(sdkUnderTest, { policy: { timeoutMs: ATTEMPT_MS, ...policy } });
    const { sdk: wrapped, bot, venue, served } = given;
    return {
      venue,
      ready: () => ready(wrapped, { deadlineMs: READY_MS }),
      place: async (kind) => shown(await bot.place(ORDERS[kind as keyof typeof ORDERS])),
      state: async ({ venueOrderId }) => STATES[(await bot.order(MARKET.symbol, Number(venueOrderId))).status ?? ''] ?? 'open',
      cancel: async ({ venueOrderId }) => {
        const orderId = Number(venueOrderId);
        expect(await bot.cancel(MARKET.symbol, orderId)).toMatchObject({ orderId, status: 'CANCELED' });
      },
      quote: () => bot.bid(MARKET.symbol),
      factsOf,
      placeUnaffordable: async () => shown(await bot.place({ ...MARKET, quantity: '100' })),
      placeAs: async (id) => shown(await bot.place({ ...LIMIT, id })),
      adapter: () => {
        const urls = { api: `${served.wsUrl}/ws-api/v3`, streams: `${served.wsUrl}/stream` };
        const webSocket = sdkUnderTest.makeAt === undefined ? { webSocket: { urls } } : {};
        return {
          adapter: toAdapter(madeAt(sdkUnderTest, served), { capabilities: CAPABILITIES, ...webSocket }),
          symbol: MARKET.symbol,
          qty: MARKET.quantity,
          restingPrice: '40000',
        };
      },
      cancelElsewhere: (venueOrderId) => sdkUnderTest.driver(given.raw()).cancel(MARKET.symbol, Number(venueOrderId)),
      [Symbol.asyncDispose]: () => given[Symbol.asyncDispose](),
    };
  },
}));
