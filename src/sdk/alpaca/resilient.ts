import { systemClock } from '../../core/clock.js';
import { attach, requireFree } from '../shared/attachments.js';
import { Overrides } from '../shared/overrides.js';
import { recoveryBoundsOf } from '../shared/resilient-options.js';
import { StreamRecovery } from '../shared/streams/stream-recovery.js';
import { RequestedSource } from './market-source.js';
import { ResilientAlpaca } from './resilient-alpaca.js';
import { type AlpacaResilientOptions, requireAlpacaOptions } from './resilient-options.js';
import { type AlpacaV3, type AlpacaV4, requireAlpaca, switchOffV4Retries } from './sdk-shapes.js';
import type { StreamParts } from './streams/kept-stream.js';
import { guardedData } from './streams/stream-history.js';
import { keepV3Streams } from './streams/v3-streams.js';
import { keepV4Streams } from './streams/v4-streams.js';
import { V3Data } from './v3-data.js';
import { guardV3Reads } from './v3-reads.js';
import { V3Wire, v3Answer } from './wire-v3.js';
import { V4Wire, v4Answer } from './wire-v4.js';

/**
 * Makes an Alpaca SDK object resilient where it stands: the same object, methods and error classes, with orders that are never
 * doubled and never lost, retried reads, the account's limits kept, streams that recover what they missed, and metrics.
 * Returns at once; the first order waits for lease, journal and reconciliation, as {@link ready} does.
 *
 * An order call resolves with what the SDK would have given, or rejects with the SDK's own error; what is known of the failure
 * stands beside it, see {@link factsOf}. A client order id that the bot sets is the key: the same call again gives the same order.
 *
 * @param sdk - the bot's own `new Alpaca(…)` of @alpacahq/alpaca-trade-api, version 3 or 4.
 * @throws TypeError or RangeError naming what is wrong with the SDK object or an option.
 * @example
 * const alpaca = resilient(new Alpaca({ keyId, secret }), { cache: { quote: 500 } });
 * await alpaca.trading.orders.market({ symbol: 'AAPL', qty: 1, side: 'buy' });
 */
export function resilient<S extends object>(sdk: S, options: AlpacaResilientOptions = {}): S {
  const known = requireAlpaca(sdk);
  requireAlpacaOptions(options);
  requireFree(sdk);
  const { path, undo } = known.version === 3 ? underV3(known.sdk, options) : underV4(known.sdk, options);
  let released: Promise<void> | undefined;
  attach(sdk, {
    ready: (call) => path.session.ready(call),
    release: () => {
      released ??= (async () => {
        for (const one of [...undo].reverse()) one[Symbol.dispose]();
        path.cache.clear();
        await path.session.release();
      })();
      return released;
    },
  });
  return sdk;
}

interface Underneath {
  readonly path: ResilientAlpaca;
  /** In the order in which they were put there. */
  readonly undo: readonly Disposable[];
}

function underV3(sdk: AlpacaV3, options: AlpacaResilientOptions): Underneath {
  const wire = new V3Wire(sdk);
  const source = new V3Data(sdk);
  const path = new ResilientAlpaca({ wire, source, timeoutMs: undefined, made: v3Answer }, options);
  const overrides = new Overrides(sdk);
  guardV3Reads(overrides, path, options.cache ?? {});
  // Its methods are behind limits and retries from here on.
  const streams = keptStreams(
    path,
    options,
    () => source,
    (parts) => keepV3Streams(sdk, parts),
  );
  return { path, undo: [overrides, wire.gate((call) => path.route(call)), streams] };
}

function underV4(sdk: AlpacaV4, options: AlpacaResilientOptions): Underneath {
  switchOffV4Retries(sdk, options);
  const wire = new V4Wire(sdk);
  const clock = options.clock ?? systemClock;
  const timeoutMs = wire.timeoutMs > 0 ? wire.timeoutMs : undefined;
  const path = new ResilientAlpaca({ wire, source: new RequestedSource(wire, () => clock.now()), timeoutMs, made: v4Answer }, options);
  const history = guardedData(path, wire);
  const streams = keptStreams(
    path,
    options,
    (loc) => new RequestedSource(history, () => clock.now(), loc),
    (parts) => keepV4Streams(sdk, parts),
  );
  return { path, undo: [wire.gate((call) => path.route(call)), streams] };
}

function keptStreams(
  path: ResilientAlpaca,
  options: AlpacaResilientOptions,
  history: StreamParts['history'],
  keep: (parts: StreamParts) => Disposable,
): Disposable {
  const closing = new AbortController();
  const { signal } = closing;
  const { session } = path;
  const recovery = new StreamRecovery('alpaca', session, recoveryBoundsOf(options), signal);
  const kept = keep({ session, read: (request) => path.read(request), closing: signal, recovery, history });
  return {
    [Symbol.dispose]: () => {
      closing.abort();
      kept[Symbol.dispose]();
    },
  };
}
