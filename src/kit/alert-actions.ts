import type { AlertAction } from '../alerts/index.js';
import { requireKnown, requireOneOf, requirePositive, requireText } from '../core/options.js';
import type { CachedMarketDataClient } from '../market-data/index.js';
import type { OperationClass, ResilientTradingClient } from '../trading/index.js';

type HaltMode = Parameters<ResilientTradingClient['halt']>[0];

const CLASSES: readonly OperationClass[] = ['place', 'read'];
/** Operations that no breaker holds up: what must always be possible, and market data, which has its own way. */
const UNGUARDED: readonly string[] = [
  ...['cancel', 'find', 'openOrders', 'history', 'fills', 'amend'],
  ...['quote', 'book', 'trades', 'bars', 'instrument'],
];
const STRICTNESS: Readonly<Record<HaltMode, number>> = { active: 0, reduce_only: 1, halted: 2 };
const SHED_MS = 60_000;

/** What a kit's rules may have done: each an explicit method of the module concerned, and each only ever lowers what is at risk. */
export function alertActions(parts: {
  readonly trading?: ResilientTradingClient;
  readonly marketData?: CachedMarketDataClient;
}): Readonly<Record<string, AlertAction>> {
  return {
    ...(parts.trading === undefined ? {} : tradingActions(parts.trading)),
    ...(parts.marketData === undefined ? {} : marketDataActions(parts.marketData)),
  };
}

type Given = Readonly<Record<string, unknown>>;

function tradingActions(trading: ResilientTradingClient): Readonly<Record<string, AlertAction>> {
  /** Stricter than it is, or not at all: two alerts must not loosen what the other has tightened. */
  const tighten = async (to: HaltMode, reason: string, options: { readonly symbol?: string; readonly cancelAll?: boolean }): Promise<void> => {
    if (STRICTNESS[trading.mode(options.symbol)] >= STRICTNESS[to] && options.cancelAll !== true) return;
    const mode = STRICTNESS[trading.mode(options.symbol)] > STRICTNESS[to] ? trading.mode(options.symbol) : to;
    await trading.halt(mode, reason, options);
  };
  return {
    trip_breaker: ({ alert, with: given }) => {
      requireKnown('trip_breaker', given, ['operations', 'forMs']);
      const forMs = given.forMs === undefined ? {} : { forMs: requirePositive('forMs', given.forMs as number) };
      const operations = classFor(alert.labels, given);
      if (operations !== undefined) trading.tripBreaker(operations, reasonOf(alert), forMs);
    },
    lower_concurrency: ({ alert, with: given }) => {
      const { operations, ...how } = given;
      const classes = operations === undefined ? CLASSES : [requireOneOf('operations', operations as OperationClass, CLASSES)];
      for (const one of classes) trading.lowerConcurrency(one, reasonOf(alert), how);
    },
    block_symbol: async ({ alert, with: given }) => {
      requireKnown('block_symbol', given, ['symbol', 'mode']);
      const symbol = requireText('symbol', (given.symbol ?? alert.labels.symbol) as string);
      await tighten(haltMode(given, 'reduce_only'), reasonOf(alert), { symbol });
    },
    halt: async ({ alert, with: given }) => {
      requireKnown('halt', given, ['mode', 'cancelAll']);
      await tighten(haltMode(given, 'halted'), reasonOf(alert), { cancelAll: given.cancelAll === true });
    },
  };
}

function marketDataActions(marketData: CachedMarketDataClient): Readonly<Record<string, AlertAction>> {
  return {
    shed_prefetch: ({ with: given }) => {
      requireKnown('shed_prefetch', given, ['forMs']);
      marketData.shedPrefetch(requirePositive('forMs', (given.forMs ?? SHED_MS) as number));
    },
  };
}

/** The class of operations that is meant; undefined for one that nothing holds up. */
function classFor(labels: Readonly<Record<string, string>>, given: Given): OperationClass | undefined {
  if (given.operations !== undefined) return requireOneOf('operations', given.operations as OperationClass, CLASSES);
  // Of a cache or a feed: its calls go by another way.
  if (labels.operation === undefined && labels.kind !== undefined) return undefined;
  const { operation } = labels;
  if (operation === undefined) throw new TypeError('operations must be given where the alert has no label "operation"');
  if (UNGUARDED.includes(operation)) return undefined;
  return operation === 'place' ? 'place' : 'read';
}

/** No alert resumes trading: a person does. */
function haltMode(given: Given, otherwise: HaltMode): HaltMode {
  return requireOneOf('mode', (given.mode ?? otherwise) as 'reduce_only' | 'halted', ['reduce_only', 'halted']);
}

function reasonOf({ rule, severity, summary }: Parameters<AlertAction>[0]['alert']): string {
  return `alert ${rule} (${severity})${summary === undefined ? '' : `: ${summary}`}`;
}
