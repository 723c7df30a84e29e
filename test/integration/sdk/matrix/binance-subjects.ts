import type { BinanceRest } from 'binance-api-node';
import { expect, vi } from 'vitest';
import { factsOf, ready, release, resilient, toAdapter } from '../../../../src/sdk/binance/index.js';
import type { BinanceResilientOptions } from '../../../../src/sdk/binance/resilient.js';
import { type ServedVenue, serveBinance } from '../../../../src/testing/index.js';
import { type CompositeWriter, sieblyApiWriter, spotSocketWriter, WRITERS } from '../binance/composite-writers.js';
import {
  binanceVenue,
  CAPABILITIES,
  type Driver,
  endAtOnce,
  givenResilient,
  madeAt,
  newSieblyApi,
  newSpotWithSocket,
  SDKS,
  type Shown,
  sieblyApiDriver,
  socketDriver,
  type Wanted,
} from '../binance/given.js';
import { ATTEMPT_MS, READY_MS, type ShownOrder, type Subject, type SubjectAtVenue } from './subject.js';

// The logger of @binance/spot writes every connection to the console.
vi.stubEnv('LOG_LEVEL', 'error');

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

/** What a bot does over any of them. */
function botOf(bot: Pick<Driver, 'place' | 'cancel' | 'order' | 'bid'>) {
  return {
    place: async (kind: string) => shown(await bot.place(ORDERS[kind as keyof typeof ORDERS])),
    state: async ({ venueOrderId }: ShownOrder) => STATES[(await bot.order(MARKET.symbol, Number(venueOrderId))).status ?? ''] ?? 'open',
    cancel: async ({ venueOrderId }: ShownOrder) => {
      const orderId = Number(venueOrderId);
      expect(await bot.cancel(MARKET.symbol, orderId)).toMatchObject({ orderId, status: 'CANCELED' });
    },
    quote: () => bot.bid(MARKET.symbol),
    factsOf,
    placeUnaffordable: async () => shown(await bot.place({ ...MARKET, quantity: '100' })),
    placeAs: async (id: string) => shown(await bot.place({ ...LIMIT, id })),
  } as const;
}

const REST_SUBJECTS: readonly Subject[] = Object.entries(SDKS).map(([name, sdk]) => ({
  name,
  price: 50_000,
  kinds: KINDS,
  ambiguous: { when: 'after', kind: 'status', status: 503, code: -1007, times: 1 },
  bans: true,
  doublesRequests: true,
  hasComposites: true,
  open: async (policy) => {
    const sdkUnderTest = { ...sdk, make: () => sdk.make({ timeoutMs: ATTEMPT_MS }) };
    const given = await givenResilient(sdkUnderTest, { policy: { timeoutMs: ATTEMPT_MS, ...policy } });
    const { sdk: wrapped, bot, venue, served } = given;
    return {
      venue,
      ready: () => ready(wrapped, { deadlineMs: READY_MS }),
      ...botOf(bot),
      composites: WRITERS[name]!(wrapped as never),
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
      ...(name === 'binance-api-node' && { follow: (heard) => follow(wrapped as BinanceRest, heard) }),
      cancelElsewhere: (venueOrderId) => sdkUnderTest.driver(given.raw()).cancel(MARKET.symbol, Number(venueOrderId)),
      [Symbol.asyncDispose]: () => given[Symbol.asyncDispose](),
    };
  },
}));

type Heard = Parameters<NonNullable<SubjectAtVenue['follow']>>[0];

function follow({ ws }: BinanceRest, heard: Heard): Promise<unknown> {
  return ws.user(({ eventType, orderId, orderStatus }: { eventType: string; orderId: number; orderStatus: string }) => {
    if (eventType === 'executionReport') heard({ venueOrderId: String(orderId), state: STATES[orderStatus] ?? 'open' });
  });
}

/** What differs between the SDKs that trade over a socket. */
interface SocketSdk {
  readonly sdk: object;
  readonly bot: ReturnType<typeof socketDriver>;
  readonly composites: CompositeWriter;
  readonly follow: (hear: (event: object) => void) => Promise<unknown>;
  end(): void;
}

const OVER_SOCKETS: Readonly<Record<string, (served: ServedVenue, options: BinanceResilientOptions) => Promise<SocketSdk>>> = {
  // Through what `websocketAPI.connect()` gives.
  '@binance/spot over its socket': async (served, options) => {
    const sdk = resilient(served.connect(newSpotWithSocket(ATTEMPT_MS)), options);
    const socket = await sdk.websocketAPI.connect();
    const follow = async (hear: (event: object) => void): Promise<void> => {
      const { stream } = await socket.userDataStreamSubscribeSignature();
      stream.on('message', hear);
    };
    return { sdk, bot: socketDriver(socket), composites: spotSocketWriter(socket), follow, end: () => endAtOnce(socket) };
  },
  // `WebsocketAPIClient`, which knows no REST.
  'binance over its socket': (served, options) => {
    const sdk = resilient(newSieblyApi(served), options);
    const follow = (hear: (event: object) => void): Promise<unknown> => {
      sdk.getWSClient().on('message', hear);
      return sdk.subscribeUserDataStream('mainWSAPI');
    };
    return Promise.resolve({ sdk, bot: sieblyApiDriver(sdk), composites: sieblyApiWriter(sdk), follow, end: () => sdk.getWSClient().closeAll(true) });
  },
};

const SOCKET_SUBJECTS: readonly Subject[] = Object.entries(OVER_SOCKETS).map(([name, connect]) => ({
  name,
  price: 50_000,
  kinds: { 'a market order': 'filled', 'a limit order': 'open' },
  ambiguous: { when: 'after', kind: 'status', status: 503, code: -1007, times: 1 },
  bans: true,
  doublesRequests: true,
  hasComposites: true,
  open: async (policy) => {
    const venue = binanceVenue();
    const served = await serveBinance(venue);
    const { sdk, bot, composites, follow, end } = await connect(served, { capabilities: CAPABILITIES, policy: { timeoutMs: ATTEMPT_MS, ...policy } });
    return {
      venue,
      ready: () => ready(sdk, { deadlineMs: READY_MS }),
      ...botOf(bot),
      composites,
      adapter: () => {
        throw new Error('its own stream is followed');
      },
      follow: (heard) =>
        follow((event) => {
          const { e, i, X } = event as { readonly e?: string; readonly i?: number; readonly X?: string };
          if (e === 'executionReport') heard({ venueOrderId: String(i), state: STATES[X ?? ''] ?? 'open' });
        }),
      cancelElsewhere: (venueOrderId) =>
        served.connect(newSpotWithSocket(ATTEMPT_MS)).restAPI.deleteOrder({ symbol: MARKET.symbol, orderId: Number(venueOrderId) }),
      async [Symbol.asyncDispose]() {
        await release(sdk);
        end();
        await served.close();
      },
    };
  },
}));

/** The SDKs for Binance spot. */
export const BINANCE_SUBJECTS: readonly Subject[] = [...REST_SUBJECTS, ...SOCKET_SUBJECTS];
