import { Alpaca as AlpacaV4 } from '@alpacahq/alpaca-trade-api';
// @ts-expect-error -- it comes without types
import connector from '@binance/connector';
import { Spot } from '@binance/spot';
import AlpacaV3Class from 'alpaca-v3';
import { MainClient } from 'binance';
import apiNode, { type BinanceRest as ApiNodeClient } from 'binance-api-node';
import ccxt, { type Exchange } from 'ccxt';
import { connectAlpaca } from '../../src/testing/alpaca/connect-alpaca.js';
import { connectBinance } from '../../src/testing/binance/connect-binance.js';
import { connectKraken } from '../../src/testing/kraken/connect-kraken.js';
import { RemoteVenue } from '../served/remote-venue.js';
import type { VenueSettings } from '../served/venue-process.js';
import { loadAlpaca, loadBinance, loadCcxt } from './bundle.js';

/** More than any run uses: what is measured is the wrapper, not a limit. */
const PER_MINUTE = 10_000_000;

interface V3 {
  getAccount(): Promise<unknown>;
}

interface ConnectorClient {
  ticker24hr(symbol: string): Promise<unknown>;
}

export const { Spot: Connector } = connector as unknown as { readonly Spot: new (apiKey: string, apiSecret: string) => ConnectorClient };
type ApiNodeMaker = (options?: object) => ApiNodeClient;
export const ApiNode = (apiNode as unknown as { default?: ApiNodeMaker }).default ?? (apiNode as unknown as ApiNodeMaker);
export const V3Constructor = AlpacaV3Class as unknown as new (options: object) => V3;

/** One SDK, raw and wrapped, and the call that is measured on both. */
export interface Pair {
  readonly raw: () => Promise<unknown>;
  readonly wrapped: () => Promise<unknown>;
  /** Goes on with other instances at another venue: the limits of this one can't be set. */
  readonly renew?: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** What differs between the SDKs. */
interface Contender<S extends object> {
  readonly venue: VenueSettings;
  /** An SDK object at that venue, as a bot makes it, but for limits and retries of its own: they are off on both sides. */
  readonly make: (venue: RemoteVenue) => S;
  readonly wrap: (sdk: S) => S;
  readonly release: (sdk: S) => Promise<void>;
  /** Before its first call. */
  readonly load?: (sdk: S) => Promise<unknown>;
  readonly call: (sdk: S) => Promise<unknown>;
  /** Where the venue's limits can't be set: it goes on with other instances at another venue. */
  readonly isLimited?: boolean;
}

async function pairOf<S extends object>({ venue: settings, make, wrap, release, load, call, isLimited = false }: Contender<S>): Promise<Pair> {
  const start = async () => {
    const venue = await RemoteVenue.start(settings);
    const [raw, wrapped] = [make(venue), wrap(make(venue))];
    await load?.(raw);
    await load?.(wrapped);
    return { venue, raw, wrapped };
  };
  let now = await start();
  const end = async (): Promise<void> => {
    await release(now.wrapped);
    await now.venue[Symbol.asyncDispose]();
  };
  const renew = async (): Promise<void> => {
    await end();
    now = await start();
  };
  return { raw: () => call(now.raw), wrapped: () => call(now.wrapped), ...(isLimited ? { renew } : {}), end };
}

const UNLIMITED: VenueSettings['limits'] = [{ id: 'requests', scope: 'account', kind: 'window', units: PER_MINUTE, perMs: 60_000 }];
const REQUESTS = { requestsPerMinute: { trading: PER_MINUTE, data: PER_MINUTE } };
const WITHOUT_LIMITER = { apiKey: 'any', secret: 'any', enableRateLimit: false };
const hostOf = ({ url }: RemoteVenue): string => new URL(url).host;

const binance = async () => ({ venue: {}, wrap: (await loadBinance()).resilient, release: (await loadBinance()).release, isLimited: true });
const alpaca = async () => {
  const { resilient, release } = await loadAlpaca();
  return { venue: { protocol: 'alpaca', limits: UNLIMITED } as const, wrap: <S extends object>(sdk: S): S => resilient(sdk, REQUESTS), release };
};
const onCcxt = async () => {
  const { resilient, release } = await loadCcxt();
  return { wrap: resilient, release, load: (exchange: Exchange) => exchange.loadMarkets() };
};

/** The SDKs that venuekit knows. */
export const CONTENDERS: Readonly<Record<string, () => Promise<Pair>>> = {
  'ccxt binance, fetchTicker': async () =>
    pairOf<Exchange>({
      ...(await onCcxt()),
      venue: {},
      make: (venue) => venue.connect(),
      call: (exchange) => exchange.fetchTicker('BTC/USDT'),
      isLimited: true,
    }),
  'ccxt kraken, fetchTicker': async () =>
    pairOf<Exchange>({
      ...(await onCcxt()),
      venue: { protocol: 'kraken' },
      make: (venue) => connectKraken(new ccxt.kraken(WITHOUT_LIMITER), hostOf(venue), venue.credentials),
      call: (exchange) => exchange.fetchTicker('BTC/USD'),
    }),
  'ccxt alpaca, fetchTicker': async () => {
    const { resilient, release } = await loadCcxt();
    return pairOf<Exchange>({
      venue: { protocol: 'alpaca', limits: UNLIMITED },
      make: (venue) => connectAlpaca(new ccxt.alpaca(WITHOUT_LIMITER), hostOf(venue), venue.credentials),
      wrap: (exchange) => resilient(exchange, REQUESTS),
      release,
      load: (exchange) => exchange.loadMarkets(),
      call: (exchange) => exchange.fetchTicker('BTC/USD'),
    });
  },
  'Alpaca 3, getAccount': async () =>
    pairOf<V3>({
      ...(await alpaca()),
      make: (venue) => connectAlpaca(new V3Constructor({ keyId: 'any', secretKey: 'any' }), hostOf(venue), venue.credentials),
      call: (sdk) => sdk.getAccount(),
    }),
  'Alpaca 4, account.getAccount': async () =>
    pairOf<AlpacaV4>({
      ...(await alpaca()),
      make: (venue) => connectAlpaca(new AlpacaV4({ keyId: 'any', secret: 'any', rateLimit: false, retry: false }), hostOf(venue), venue.credentials),
      call: (sdk) => sdk.trading.account.getAccount(),
    }),
  '@binance/connector, ticker24hr': async () =>
    pairOf<ConnectorClient>({
      ...(await binance()),
      make: ({ url, credentials }) => connectBinance(new Connector('any', 'any'), url, credentials),
      call: (sdk) => sdk.ticker24hr('BTCUSDT'),
    }),
  'binance, get24hrChangeStatistics': async () =>
    pairOf<MainClient>({
      ...(await binance()),
      make: ({ url, credentials }) => connectBinance(new MainClient({ api_key: 'any', api_secret: 'any' }), url, credentials),
      call: (sdk) => sdk.get24hrChangeStatistics({ symbol: 'BTCUSDT' }),
    }),
  'binance-api-node, dailyStats': async () =>
    pairOf<ApiNodeClient>({
      ...(await binance()),
      make: ({ url, credentials: { apiKey, secret } }) => ApiNode({ httpBase: url, apiKey, apiSecret: secret }),
      call: (sdk) => sdk.dailyStats({ symbol: 'BTCUSDT' }),
    }),
  '@binance/spot, ticker24hr': async () =>
    pairOf<Spot>({
      ...(await binance()),
      make: ({ url, credentials }) =>
        connectBinance(new Spot({ configurationRestAPI: { apiKey: 'any', apiSecret: 'any', retries: 0 } }), url, credentials),
      call: async (sdk) => (await sdk.restAPI.ticker24hr({ symbol: 'BTCUSDT' })).data(),
    }),
};
