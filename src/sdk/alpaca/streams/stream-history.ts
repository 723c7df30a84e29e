import type { FetchAttempt } from '../../../contracts/market-data.js';
import type { Json } from '../../shared/json.js';
import type { RowList } from '../../shared/streams/missed-rows.js';
import type { RowOrder } from '../../shared/streams/told-rows.js';
import { ONE_DATA_REQUEST } from '../alpaca-adapter.js';
import type { HostedWire, MarketSource, Range } from '../market-source.js';
import { kindOfPath, type ResilientAlpaca } from '../resilient-alpaca.js';
import type { WireAnswer } from '../wire.js';

const MINUTE_MS = 60_000;
/** How late a trade may be told, behind others that happened after it. */
const LATE_MS = 5_000;
/** Behind the market. Source: docs.alpaca.markets, real-time stock data, delayed_sip. */
const DELAY_MS = 15 * MINUTE_MS;

/** What a stream of market data carries. */
export interface StreamedMarket {
  readonly isCrypto: boolean;
  /** Of shares: `iex` or `sip`. */
  readonly feed?: string;
  /** Of crypto: `us` and others. */
  readonly loc: string;
  readonly delayMs: number;
}

/** By the address of a stream; undefined where its past is not read. Source: docs.alpaca.markets, streaming market data. */
export function streamedMarket(url: string): StreamedMarket | undefined {
  const [, feed, loc] = /\/(?:v2\/(iex|sip|delayed_sip)|v1beta3\/crypto\/([\w-]+))$/.exec(url) ?? [];
  if (loc !== undefined) return { isCrypto: true, loc, delayMs: 0 };
  if (feed === undefined) return undefined;
  return { isCrypto: false, feed: feed === 'delayed_sip' ? 'sip' : feed, loc: '', delayMs: feed === 'delayed_sip' ? DELAY_MS : 0 };
}

/** The Market Data API behind limits and retries, with ids of trades as they stand: crypto has such as JSON.parse would round. */
export function guardedData(path: ResilientAlpaca, wire: HostedWire): HostedWire {
  return {
    request: async (host, request) => {
      try {
        const result = (await path.guarded.repeatable(
          {
            operation: kindOfPath(request.path) ?? 'data',
            costs: ONE_DATA_REQUEST,
            priority: 'reconcile',
            call: ({ signal }) => wire.request(host, request, signal),
          },
          false,
        )) as WireAnswer;
        const { body } = result.native as { readonly body: string };
        return { result: { ...result, json: JSON.parse(body.replaceAll(LONG_ID, '"i":"$1"')) } };
      } catch (error) {
        return { error, facts: { sent: true } };
      }
    },
  };
}

const LONG_ID = /"i":\s*(\d{16,})/g;

/** Epoch ms of a time as either version's decoder or JSON gives it. */
export function timeIn(value: unknown): number {
  if (typeof value === 'string') return Date.parse(value);
  if (value instanceof Date) return value.getTime();
  return (value as { toDate?(): Date } | undefined)?.toDate?.().getTime() ?? Number.NaN;
}

function timeOf(row: Json): number {
  return timeIn(row.t);
}

/** Source: docs.alpaca.markets: the id of a trade is that of its exchange. */
export const TRADE_ORDER: RowOrder<Json> = {
  keyOf: ({ i, x, t, p, s }) => `${Number(i)} ${String(x)} ${timeIn(t)} ${Number(p)} ${Number(s)}`,
  placeOf: timeOf,
  timeOf,
  overlap: LATE_MS,
  isDense: false,
};

/** One a minute, each once it is over. */
export const BAR_ORDER: RowOrder<Json> = {
  keyOf: ({ t }) => String(timeIn(t)),
  placeOf: timeOf,
  timeOf,
  overlap: 0,
  isDense: false,
};

/** Where the trades or bars of a symbol are read again. */
export function listOfRows(
  source: MarketSource,
  { isCrypto, feed, delayMs }: StreamedMarket,
  kind: 'trades' | 'bars',
  symbol: string,
  attempt: FetchAttempt,
  now: () => number,
): RowList<Json> {
  return {
    async read(from, most) {
      const end = now() - delayMs;
      const range: Range = {
        start: new Date(from).toISOString(),
        limit: most,
        sort: 'desc',
        ...(feed === undefined ? {} : { feed }),
        ...(delayMs === 0 ? {} : { end: new Date(end).toISOString() }),
      };
      if (kind === 'trades') return [...(await source.trades(symbol, isCrypto, range, attempt))].reverse();
      const bars = await source.bars(symbol, isCrypto, { ...range, timeframe: '1Min' }, attempt);
      // Streams tell a bar once its minute is over.
      return bars.filter((bar) => timeOf(bar) + MINUTE_MS <= end).reverse();
    },
  };
}

/** From which place on rows are the bot's that has just subscribed: a bar is told at the end of the minute in which that was. */
export function startOf(kind: 'trades' | 'bars', { delayMs }: StreamedMarket, now: number): number {
  const at = now - delayMs;
  return kind === 'trades' ? at : Math.floor(at / MINUTE_MS) * MINUTE_MS;
}
