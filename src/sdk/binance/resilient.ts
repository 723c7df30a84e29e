import { attach, requireFree } from '../shared/attachments.js';
import {
  type MaxAges,
  type ResilientOptions,
  recoveryBoundsOf,
  requireKnownResilientOptions,
  requireMaxAges,
  switchOffRetries,
} from '../shared/resilient-options.js';
import { StreamRecovery } from '../shared/streams/stream-recovery.js';
import { OwnNames } from './markets.js';
import { OrderPath } from './orders/order-path.js';
import { requireCapabilities } from './required-capabilities.js';
import { hasCredentials, requireBinanceSdk, requireWholeCredentials } from './sdks/known-sdks.js';
import { attemptMsOf } from './sdks/sdk-timeouts.js';
import { SdkWire } from './sdks/sdk-wire.js';
import type { Route } from './wire.js';

/** What `resilient` takes beside the SDK object. */
export interface BinanceResilientOptions extends Omit<ResilientOptions, 'cache'> {
  /** Age in ms that a cached answer may have, by kind of market data. Absent or 0: not cached. Orders and the account never are. */
  readonly cache?: MaxAges;
}

/** For the SDK's own time limit to end a call first, with the error that the bot expects. */
const GRACE_MS = 250;

/**
 * Makes an SDK object for Binance spot resilient where it stands: the same object, methods and errors, with orders that are
 * never doubled and never lost, retried reads, the venue's limits kept, and metrics.
 * Returns at once; the first order waits for lease, journal and reconciliation, as {@link ready} does.
 *
 * An order call resolves with what the SDK would have given, or rejects with the SDK's own error; what is known of the failure
 * stands beside it, see {@link factsOf}. A `newClientOrderId` that the bot sets is the key: the same call again gives the same order.
 *
 * @param sdk - the bot's own `new Spot(…)` of @binance/connector or @binance/spot, `new MainClient(…)` or
 * `new WebsocketAPIClient(…)` of binance, or `Binance(…)` of binance-api-node.
 * @throws TypeError or RangeError naming what is wrong with the SDK object or an option.
 * @example
 * const client = resilient(new Spot(apiKey, apiSecret), { cache: { quote: 500 } });
 * await client.newOrder('BTCUSDT', 'BUY', 'LIMIT', { timeInForce: 'GTC', quantity: '0.01', price: '64000' });
 */
export function resilient<S extends object>(sdk: S, options: BinanceResilientOptions = {}): S {
  const known = requireBinanceSdk(sdk);
  requireKnownResilientOptions(options);
  const { cache = {}, ...shared } = options;
  requireMaxAges(cache);
  requireCapabilities('resilient', options.capabilities);
  requireWholeCredentials(known);
  requireFree(sdk);
  if (known.ownRetries !== undefined) switchOffRetries({ sdk: known.name, ...known.ownRetries, options });
  const attemptMs = attemptMsOf(known, options.policy?.timeoutMs);
  const wire = new SdkWire(known, attemptMs);
  const path = new OrderPath(
    {
      wire,
      markets: (read) => new OwnNames(read),
      symbolOf: (id) => id,
      marketIdOf: (symbol) => symbol,
      canSign: () => hasCredentials(known),
      timeoutMs: attemptMs + GRACE_MS,
      answered: ({ native }, json, of) => ({ json, native: known.answered(native, json, of) }),
      plain: ({ json, native }) => ({ json, native: known.plain(native) }),
      cache,
    },
    shared,
  );
  const route: Route = (call) => path.route(call);
  const gate = wire.gate(route);
  const closing = new AbortController();
  const sockets = wire.keepSockets(route, { path, closing: closing.signal });
  const markets = wire.keepMarkets({
    recovery: new StreamRecovery('binance', path.session, recoveryBoundsOf(options), closing.signal),
    read: (of, params) => path.readMarket(of, params),
    hasKey: hasCredentials(known),
  });
  let released: Promise<void> | undefined;
  attach(sdk, {
    ready: (call) => path.session.ready(call),
    release: () => {
      released ??= (async () => {
        closing.abort();
        sockets?.[Symbol.dispose]();
        markets?.[Symbol.dispose]();
        gate[Symbol.dispose]();
        path.cache.clear();
        await path.session.release();
      })();
      return released;
    },
  });
  return sdk;
}
