import { factsOf, ready, toAdapter } from '../../../../src/sdk/alpaca/index.js';
import { CAPABILITIES, driverOf, givenResilient, newV3, newV4, type Shown, type Wanted } from '../alpaca/given.js';
import { ATTEMPT_MS, READY_MS, type ShownOrder, type Subject } from './subject.js';

const MARKET: Wanted = { symbol: 'AAPL', qty: '2', side: 'buy' };
const LIMIT: Wanted = { ...MARKET, limit: '150' };
const KINDS = { 'a market order': 'filled', 'an order over an amount of money': 'filled', 'a limit order': 'open' } as const;
const ORDERS = { 'a market order': MARKET, 'an order over an amount of money': { ...MARKET, notional: '500' }, 'a limit order': LIMIT } as const;

const shown = ({ id, clientOrderId }: Shown): ShownOrder => ({ venueOrderId: id, clientOrderId });

/** Both versions of Alpaca's SDK. */
export const ALPACA_SUBJECTS: readonly Subject[] = Object.entries({ 'Alpaca 3': newV3, 'Alpaca 4': () => newV4({ timeoutMs: ATTEMPT_MS }) }).map(
  ([name, make]) => ({
    name,
    price: 200,
    kinds: KINDS,
    ambiguous: { when: 'after', kind: 'status', status: 504, times: 1 },
    bans: false,
    doublesRequests: false,
    open: async (policy) => {
      const given = await givenResilient(make, { policy: { timeoutMs: ATTEMPT_MS, ...policy } });
      const { sdk, bot, venue, served } = given;
      return {
        venue,
        ready: () => ready(sdk, { deadlineMs: READY_MS }),
        place: async (kind) => shown(await bot.place(ORDERS[kind as keyof typeof ORDERS])),
        state: async ({ venueOrderId }) => {
          const { status } = await bot.order(venueOrderId);
          return status === 'filled' || status === 'canceled' ? status : 'open';
        },
        cancel: async ({ venueOrderId }) => void (await bot.cancel(venueOrderId)),
        quote: () => bot.quote(MARKET.symbol),
        factsOf,
        placeUnaffordable: async () => shown(await bot.place({ ...MARKET, qty: '10000' })),
        placeAs: async (id) => shown(await bot.place({ ...LIMIT, id })),
        adapter: () => ({
          adapter: toAdapter(served.connect(make()), { capabilities: CAPABILITIES }),
          symbol: MARKET.symbol,
          qty: MARKET.qty,
          restingPrice: '150',
        }),
        cancelElsewhere: (venueOrderId) => driverOf(given.raw()).cancel(venueOrderId),
        [Symbol.asyncDispose]: () => given[Symbol.asyncDispose](),
      };
    },
  }),
);
