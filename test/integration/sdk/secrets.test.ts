import ccxt, { type Exchange } from 'ccxt';
import { describe, expect, it, vi } from 'vitest';
import { EventBus, type VenueKitEvents } from '../../../src/contracts/events.js';
import * as ofAlpaca from '../../../src/sdk/alpaca/index.js';
import * as ofBinance from '../../../src/sdk/binance/index.js';
import * as ofCcxt from '../../../src/sdk/ccxt/index.js';
import { type ServedVenue, SimulatedVenue, serveAlpaca, serveBinance, serveKraken } from '../../../src/testing/index.js';
import { alpacaVenue, driverOf, VERSIONS } from './alpaca/given.js';
import { binanceVenue, CAPABILITIES, madeAt, SDKS } from './binance/given.js';

interface EntryPoint {
  resilient(sdk: object, options?: object): object;
  ready(sdk: object, options?: object): Promise<unknown>;
  release(sdk: object): Promise<void>;
}

/** Kraken's REST, too, which has no streams. */
type Served = Omit<ServedVenue, 'wsUrl'>;

interface Subject {
  readonly name: string;
  readonly entry: EntryPoint;
  readonly venue: () => SimulatedVenue;
  readonly serve: (venue: SimulatedVenue) => Promise<Served>;
  readonly options?: object;
  make(served: Served): object;
  /** An order, a cancel of what is not there, and a look at it. */
  calls(sdk: object): readonly (() => Promise<unknown>)[];
}

const krakenVenue = () =>
  new SimulatedVenue({ seed: 1, symbols: { 'BTC/USD': { price: 50_000, priceStep: '0.1', qtyStep: '0.00000001' } }, balances: { USD: '100000' } });

const CCXT = { timeout: 800, enableRateLimit: false };
const exchangeCalls = (symbol: string, id: string) => (sdk: object) => {
  const exchange = sdk as Exchange;
  return [
    () => exchange.createOrder(symbol, 'market', 'buy', 0.01),
    () => exchange.cancelOrder(id, symbol),
    () => exchange.fetchOrder(id, symbol),
  ] as const;
};

const ON_BINANCE = { venue: binanceVenue, serve: serveBinance, options: { capabilities: CAPABILITIES } } as const;
const ON_ALPACA = { venue: alpacaVenue, serve: serveAlpaca } as const;
const ON_KRAKEN = { venue: krakenVenue, serve: serveKraken, options: { krakenTier: 'pro' } } as const;
const NO_ORDER = '00000000-0000-4000-8000-000000000000';

const SUBJECTS: readonly Subject[] = [
  ...(
    [
      ['ccxt.binance', ON_BINANCE, (served) => served.connect(new ccxt.binance(CCXT)), exchangeCalls('BTC/USDT', '999')],
      ['ccxt.alpaca', ON_ALPACA, (served) => served.connect(new ccxt.alpaca(CCXT)), exchangeCalls('BTC/USD', NO_ORDER)],
      ['ccxt.kraken', ON_KRAKEN, (served) => served.connect(new ccxt.kraken(CCXT)), exchangeCalls('BTC/USD', 'OAAAAA-BBBBB-CCCCCC')],
    ] satisfies [string, Pick<Subject, 'venue' | 'serve' | 'options'>, Subject['make'], Subject['calls']][]
  ).map(([name, on, make, calls]): Subject => ({ name, entry: ofCcxt, ...on, make, calls })),
  ...Object.entries(VERSIONS).map(([version, make]): Subject => {
    const calls: Subject['calls'] = (sdk) => {
      const bot = driverOf(sdk);
      return [() => bot.place({ symbol: 'AAPL', qty: '1', side: 'buy' }), () => bot.cancel(NO_ORDER), () => bot.order(NO_ORDER)];
    };
    return { name: `Alpaca, ${version}`, entry: ofAlpaca, ...ON_ALPACA, make: (served) => served.connect(make()), calls };
  }),
  ...Object.entries(SDKS).map(([name, sdkUnderTest]): Subject => {
    const calls: Subject['calls'] = (sdk) => {
      const bot = sdkUnderTest.driver(sdk);
      const wanted = { symbol: 'BTCUSDT', side: 'BUY', quantity: '0.01' } as const;
      return [() => bot.place(wanted), () => bot.cancel('BTCUSDT', 999), () => bot.order('BTCUSDT', 999)];
    };
    return { name, entry: ofBinance, ...ON_BINANCE, make: (served) => madeAt(sdkUnderTest, served as ServedVenue), calls };
  }),
];

const FAULTS = {
  'nothing going wrong': undefined,
  'lost answers': { when: 'after', kind: 'reset', times: 2 },
  'outcomes that are not known': { when: 'after', kind: 'status', status: 503, code: -1007, times: 2 },
  'pages of a gateway': { when: 'before', kind: 'html', times: 2 },
  'keys that are not taken': { when: 'before', kind: 'status', status: 401, code: -2015, times: 2 },
} as const;

const EVENTS = ['order.state', 'order.unknown', 'order.resolved', 'venue.call', 'limit.observed', 'reconcile', 'journal.volatile'] as const;
const DEEPEST = 16;

/** Where in what can be seen of `value` there is a key, a secret or a signature. */
function leaks(value: unknown, sdk: object, { apiKey, secret }: ServedVenue['credentials']): string[] {
  const found: string[] = [];
  // The bot's own object has them, of course.
  const seen = new Set<unknown>([sdk]);
  const walk = (one: unknown, path: string, depth: number): void => {
    if (typeof one === 'string') {
      if (one.includes(secret) || one.includes(apiKey) || /signature=[0-9a-f]{16}/i.test(one)) found.push(`${path}: ${one.slice(0, 60)}`);
      return;
    }
    if (typeof one !== 'object' || one === null || seen.has(one) || depth > DEEPEST) return;
    seen.add(one);
    if (one instanceof Error) walk([one.message, one.stack, one.cause], `${path}.${one.name}`, depth + 1);
    for (const name of Reflect.ownKeys(one))
      if (Object.prototype.propertyIsEnumerable.call(one, name)) walk(Reflect.get(one, name), `${path}.${String(name)}`, depth + 1);
  };
  walk(value, '', 0);
  return found;
}

describe.concurrent.each(SUBJECTS)(
  'what $name throws, logs and tells under resilient()',
  ({ name, entry, venue: newVenue, serve, options, make, calls }) => {
    it('regression: errors of axios had every key and signature of the process in them, by the connections that they held', async () => {
      vi.spyOn(console, 'warn').mockImplementation(() => {});
      const venue = newVenue();
      await using served = await serve(venue);
      const all: (readonly [where: string, what: unknown])[] = [];
      const bus = new EventBus<VenueKitEvents>();
      for (const event of EVENTS) bus.on(event, (told) => void all.push([event, told]));
      const log =
        (level: string) =>
        (...said: unknown[]): void =>
          void all.push([level, said]);
      const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
      const sdk = entry.resilient(make(served), { ...options, bus, logger, policy: { timeoutMs: 800, deadlineMs: 1_500 } });
      await entry.ready(sdk, { deadlineMs: 90_000 });
      let errors = 0;
      for (const [fault, terms] of Object.entries(FAULTS)) {
        for (const call of calls(sdk)) {
          using _ = terms === undefined ? undefined : venue.fault(terms);
          await call().catch((error: unknown) => {
            errors++;
            all.push([`an error, with ${fault}`, error]);
          });
        }
      }
      await entry.release(sdk);
      expect(errors, name).toBeGreaterThanOrEqual(5);
      expect(all.flatMap(([where, what]) => leaks(what, sdk, served.credentials).map((leak) => `${where} ${leak}`))).toEqual([]);
    });
  },
);
