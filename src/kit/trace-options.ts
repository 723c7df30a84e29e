import type { TraceRecorderOptions } from '../analyzer/index.js';
import type { BrokerAdapter } from '../contracts/broker.js';
import type { KitTuning } from '../contracts/kit-tuning.js';
import type { MarketDataAdapter, MarketKind } from '../contracts/market-data.js';
import { requireKnown, requireObject, requireText } from '../core/options.js';

const OPERATIONS = ['place', 'cancel', 'amend', 'find', 'openOrders', 'history', 'fills', 'serverTime'];
const KINDS: readonly MarketKind[] = ['quote', 'book', 'trades', 'bars', 'instrument'];

/** What the recorder of a kit is told, so that a replay knows what was in force. */
export function traceOptions(
  trace: { readonly path: string; readonly maxBytes?: number },
  parts: { readonly broker: BrokerAdapter | undefined; readonly marketData: MarketDataAdapter | undefined; readonly tuning: KitTuning },
): Omit<TraceRecorderOptions, 'bus'> {
  requireKnown('trace', requireObject('trace', trace), ['path', 'maxBytes']);
  const { path, maxBytes } = trace;
  const { broker, marketData, tuning } = parts;
  return {
    path: requireText('trace.path', path),
    tuning,
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(broker === undefined ? {} : { limits: broker.limits, costs: Object.fromEntries(OPERATIONS.map((name) => [name, broker.cost(name) ?? []])) }),
    ...(marketData === undefined ? {} : { batchLimits: Object.fromEntries(KINDS.map((kind) => [kind, marketData.batchLimit(kind)])) }),
  };
}
