import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Alpaca as AlpacaV4 } from '@alpacahq/alpaca-trade-api';
// @ts-expect-error -- it comes without types
import connector from '@binance/connector';
import { Spot } from '@binance/spot';
import AlpacaV3Class from 'alpaca-v3';
import { MainClient } from 'binance';
import apiNode, { type BinanceRest as ApiNodeClient } from 'binance-api-node';
import ccxt, { type Exchange } from 'ccxt';
import { build } from 'esbuild';
import { percentiles } from '../examples/session/judge.js';
import { connectAlpaca } from '../src/testing/alpaca/connect-alpaca.js';
import { connectBinance } from '../src/testing/binance/connect-binance.js';
import { connectKraken } from '../src/testing/kraken/connect-kraken.js';
import { compare, digits, publish, toMarkdown } from './harness.js';
import { RemoteVenue } from './served/remote-venue.js';
import type { VenueSettings } from './served/venue-process.js';

/**
 * What `resilient()` adds to an SDK: to a call that no cache answers, to reading a property, and to the memory of an instance.
 * Raw and wrapped instances call one venue in turns. The wrapper is bundled as the package is: what loads TypeScript for the other
 * benches names each function as it is made, which a wrapper that makes a few for each call would be measured by.
 */
const bundled = fileURLToPath(new URL('../node_modules/.cache/venuekit-bench/', import.meta.url));
const entry = (sdk: string): string => fileURLToPath(new URL(`../src/sdk/${sdk}/index.ts`, import.meta.url));
await build({
  entryPoints: { ccxt: entry('ccxt'), alpaca: entry('alpaca'), binance: entry('binance') },
  outdir: bundled,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  logLevel: 'error',
});
const { release: releaseCcxt, resilient: resilientCcxt } = (await import(`${bundled}ccxt.mjs`)) as typeof import('../src/sdk/ccxt/index.js');
const { release: releaseAlpaca, resilient: resilientAlpaca } = (await import(`${bundled}alpaca.mjs`)) as typeof import('../src/sdk/alpaca/index.js');
const { release: releaseBinance, resilient: resilientBinance } = (await import(
  `${bundled}binance.mjs`
)) as typeof import('../src/sdk/binance/index.js');

/** Until the engine has compiled for good what a call runs through, on both sides: a bot that reads once a second is there after three hours. */
const WARM_UP = 10_000;
const CALLS = 4_000;
/** What is told of the time before that. */
const FIRST = 2_000;
/** Calls after which venue and instances are renewed where the venue's limits would be used up: 2 of weight each, on both sides, of 6,000. */
const BLOCK = 1_000;
const INSTANCES = 200;
/** More than any run uses: what is measured is the wrapper, not a limit. */
const PER_MINUTE = 10_000_000;
const MOST_PERCENT = 5;
const MOST_READ_NS = 100;
const URLS_OF_NOBODY = { url: 'http://127.0.0.1:9', credentials: { apiKey: 'none', secret: 'none' } };

interface V3 {
  getLatestQuote(symbol: string): Promise<unknown>;
  getAccount(): Promise<unknown>;
}

interface ConnectorClient {
  ticker24hr(symbol: string): Promise<unknown>;
}

const { Spot: Connector } = connector as unknown as { readonly Spot: new (apiKey: string, apiSecret: string) => ConnectorClient };
type ApiNodeMaker = (options?: object) => ApiNodeClient;
const ApiNode = (apiNode as unknown as { default?: ApiNodeMaker }).default ?? (apiNode as unknown as ApiNodeMaker);
const V3Constructor = AlpacaV3Class as unknown as new (options: object) => V3;

/** One SDK, raw and wrapped, and the call that is measured on both. */
interface Pair {
  readonly name: string;
  readonly raw: () => Promise<unknown>;
  readonly wrapped: () => Promise<unknown>;
  /** Goes on with other instances at another venue: the limits of this one can't be set. */
  readonly renew?: () => Promise<void>;
  readonly end: () => Promise<void>;
}

export default async function wrappers(): Promise<void> {
  publish('wrappers', [await callTable(), await readTable(), await memoryTable()]);
}

/** What differs between the SDKs. */
interface Contender<S extends object> {
  readonly name: string;
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

async function pairOf<S extends object>({ name, venue: settings, make, wrap, release, load, call, isLimited = false }: Contender<S>): Promise<Pair> {
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
  return { name, raw: () => call(now.raw), wrapped: () => call(now.wrapped), ...(isLimited ? { renew } : {}), end };
}

const UNLIMITED: VenueSettings['limits'] = [{ id: 'requests', scope: 'account', kind: 'window', units: PER_MINUTE, perMs: 60_000 }];
const REQUESTS = { requestsPerMinute: { trading: PER_MINUTE, data: PER_MINUTE } };
const WITHOUT_LIMITER = { apiKey: 'any', secret: 'any', enableRateLimit: false };
const hostOf = ({ url }: RemoteVenue): string => new URL(url).host;

const BINANCE = { venue: {}, wrap: resilientBinance, release: releaseBinance, isLimited: true };
const ALPACA = {
  venue: { protocol: 'alpaca', limits: UNLIMITED } as const,
  wrap: <S extends object>(sdk: S): S => resilientAlpaca(sdk, REQUESTS),
  release: releaseAlpaca,
};
const CCXT = {
  wrap: resilientCcxt,
  release: releaseCcxt,
  load: (exchange: Exchange) => exchange.loadMarkets(),
};

/** The SDKs that venuekit knows, but ccxt alpaca: no run is long enough within the 200 requests a minute that it is held to. */
const CONTENDERS: readonly (() => Promise<Pair>)[] = [
  () =>
    pairOf<Exchange>({
      ...CCXT,
      name: 'ccxt binance, fetchTicker',
      venue: {},
      make: (venue) => venue.connect(),
      call: (exchange) => exchange.fetchTicker('BTC/USDT'),
      isLimited: true,
    }),
  () =>
    pairOf<Exchange>({
      ...CCXT,
      name: 'ccxt kraken, fetchTicker',
      venue: { protocol: 'kraken' },
      make: (venue) => connectKraken(new ccxt.kraken(WITHOUT_LIMITER), hostOf(venue), venue.credentials),
      call: (exchange) => exchange.fetchTicker('BTC/USD'),
    }),
  () =>
    pairOf<V3>({
      ...ALPACA,
      name: 'Alpaca 3, getAccount',
      make: (venue) => connectAlpaca(new V3Constructor({ keyId: 'any', secretKey: 'any' }), hostOf(venue), venue.credentials),
      call: (sdk) => sdk.getAccount(),
    }),
  () =>
    pairOf<AlpacaV4>({
      ...ALPACA,
      name: 'Alpaca 4, account.getAccount',
      make: (venue) => connectAlpaca(new AlpacaV4({ keyId: 'any', secret: 'any', rateLimit: false, retry: false }), hostOf(venue), venue.credentials),
      call: (sdk) => sdk.trading.account.getAccount(),
    }),
  () =>
    pairOf<ConnectorClient>({
      ...BINANCE,
      name: '@binance/connector, ticker24hr',
      make: ({ url, credentials }) => connectBinance(new Connector('any', 'any'), url, credentials),
      call: (sdk) => sdk.ticker24hr('BTCUSDT'),
    }),
  () =>
    pairOf<MainClient>({
      ...BINANCE,
      name: 'binance, get24hrChangeStatistics',
      make: ({ url, credentials }) => connectBinance(new MainClient({ api_key: 'any', api_secret: 'any' }), url, credentials),
      call: (sdk) => sdk.get24hrChangeStatistics({ symbol: 'BTCUSDT' }),
    }),
  () =>
    pairOf<ApiNodeClient>({
      ...BINANCE,
      name: 'binance-api-node, dailyStats',
      make: ({ url, credentials: { apiKey, secret } }) => ApiNode({ httpBase: url, apiKey, apiSecret: secret }),
      call: (sdk) => sdk.dailyStats({ symbol: 'BTCUSDT' }),
    }),
  // The last one: its calls need an async context, which makes every promise of the process dearer from then on, before Node 24.
  () =>
    pairOf<Spot>({
      ...BINANCE,
      name: '@binance/spot, ticker24hr',
      make: ({ url, credentials }) =>
        connectBinance(new Spot({ configurationRestAPI: { apiKey: 'any', apiSecret: 'any', retries: 0 } }), url, credentials),
      call: async (sdk) => (await sdk.restAPI.ticker24hr({ symbol: 'BTCUSDT' })).data(),
    }),
];

async function callTable(): Promise<string> {
  const rows: string[] = [];
  const targets: string[] = [];
  for (const make of CONTENDERS) {
    const pair = await make();
    const took = { raw: [] as number[], wrapped: [] as number[] };
    // In turns, the one that goes first changing, so that whatever the machine does meanwhile meets both.
    for (let i = 0; i < WARM_UP + CALLS; i++) {
      if (i % BLOCK === BLOCK - 1) await pair.renew?.();
      for (const side of i % 2 === 0 ? (['raw', 'wrapped'] as const) : (['wrapped', 'raw'] as const)) {
        const beganAt = performance.now();
        await pair[side]();
        took[side].push(performance.now() - beganAt);
      }
    }
    await pair.end();
    const [raw, wrapped] = [took.raw, took.wrapped].map((times) => percentiles(times.slice(WARM_UP)));
    const over = shareOf(raw!.p50, wrapped!.p50);
    const atFirst = shareOf(percentiles(took.raw.slice(0, FIRST)).p50, percentiles(took.wrapped.slice(0, FIRST)).p50);
    rows.push(
      `| ${pair.name} | ${digits(raw!.p50)} | ${digits(wrapped!.p50)} | ${digits(raw!.p95)} | ${digits(wrapped!.p95)} | ${digits((wrapped!.p50 - raw!.p50) * 1_000)} | ${digits(over)} % | ${digits(atFirst)} % |`,
    );
    targets.push(`| ${pair.name}: at most ${MOST_PERCENT} % of the call | ${digits(over)} % | ${over <= MOST_PERCENT ? 'met' : 'MISSED'} |`);
  }
  return [
    '### A call that no cache answers',
    '',
    `${CALLS} calls of each, raw and wrapped in turns, one after the other, after ${WARM_UP} others of each; a venue of a process of its own on loopback that answers at once. Last column: the share in the first ${FIRST}, while the engine still compiles.`,
    '',
    '| | raw p50, ms | wrapped p50 | raw p95 | wrapped p95 | added at p50, µs | share | at first |',
    '|---|---:|---:|---:|---:|---:|---:|---:|',
    ...rows,
    '',
    '| target | reached | |',
    '|---|---|---|',
    ...targets,
    '',
  ].join('\n');
}

/** What is added, in percent. */
function shareOf(raw: number, wrapped: number): number {
  return (wrapped / raw - 1) * 100;
}

async function readTable(): Promise<string> {
  const raw = new ccxt.binance();
  const wrapped = resilientCcxt(new ccxt.binance());
  const rawV4 = new AlpacaV4({ keyId: 'any', secret: 'any' });
  const wrappedV4 = resilientAlpaca(new AlpacaV4({ keyId: 'any', secret: 'any', retry: false }));
  const reading =
    (read: () => unknown) =>
    (iterations: number): number => {
      let seen = 0;
      for (let i = 0; i < iterations; i++) if (read() !== undefined) seen++;
      return seen;
    };
  const comparison = await compare(
    'Reading a property',
    [
      { name: 'ccxt raw', role: 'floor', run: reading(() => raw.fetchTicker) },
      { name: 'ccxt wrapped', role: 'ours', run: reading(() => wrapped.fetchTicker) },
      { name: 'Alpaca 4 raw, three deep', role: 'peer', run: reading(() => rawV4.trading.orders.postOrder) },
      { name: 'Alpaca 4 wrapped, three deep', role: 'ours', run: reading(() => wrappedV4.trading.orders.postOrder) },
    ],
    {
      targets: (ns) =>
        ['ccxt wrapped', 'Alpaca 4 wrapped, three deep'].map((name) => ({
          target: `${name}: at most ${MOST_READ_NS} ns`,
          reached: `${digits(ns(name))} ns`,
          met: ns(name) <= MOST_READ_NS,
        })),
    },
  );
  await releaseCcxt(wrapped);
  await releaseAlpaca(wrappedV4);
  return toMarkdown(comparison);
}

async function memoryTable(): Promise<string> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { url, credentials } = URLS_OF_NOBODY;
  const host = new URL(url).host;
  const kinds: readonly (readonly [name: string, make: () => object, wrap: (sdk: object) => object, end: (sdk: object) => Promise<void>])[] = [
    ['ccxt binance', () => new ccxt.binance(), resilientCcxt, releaseCcxt],
    ['Alpaca 3', () => connectAlpaca(new V3Constructor({ keyId: 'any', secretKey: 'any' }), host, credentials), resilientAlpaca, releaseAlpaca],
    ['Alpaca 4', () => connectAlpaca(new AlpacaV4({ keyId: 'any', secret: 'any', retry: false }), host, credentials), resilientAlpaca, releaseAlpaca],
  ];
  const rows: string[] = [];
  for (const [name, make, wrap, end] of kinds) {
    await end(wrap(make()));
    const sdks = Array.from({ length: INSTANCES }, make);
    collect();
    const before = process.memoryUsage().heapUsed;
    for (const sdk of sdks) wrap(sdk);
    collect();
    const bytes = (process.memoryUsage().heapUsed - before) / INSTANCES;
    rows.push(`| ${name} | ${digits(bytes / 1_024)} |`);
    for (const sdk of sdks) await end(sdk);
  }
  return [
    '### Memory of a wrapped instance',
    '',
    `What wrapping adds to the heap, before the first call, over ${INSTANCES} instances.`,
    '',
    '| | KiB |',
    '|---|---:|',
    ...rows,
    '',
  ].join('\n');
}
