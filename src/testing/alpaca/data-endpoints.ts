import { intervalMs } from '../market/bars.js';
import { type Market, TRADE_EVERY_MS } from '../market/market.js';
import { ok, type WireReply } from '../served/wire-reply.js';
import { deskOf, type Endpoint, integer, type Request, timeIn } from './endpoint.js';
import { asText, barPayloads, bookPayload, quotePayload, tradeJson, tradePayload } from './market-payloads.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const DEFAULT_LIMIT = 1_000;
const MOST = 10_000;
const BOOK_DEPTH = 50;

/** What is asked for, as the paths call it. */
const KINDS = ['bars', 'trades', 'quotes'] as const;
type Kind = (typeof KINDS)[number];
const SINGULAR = { bars: 'bar', trades: 'trade', quotes: 'quote' } as const;
const OPERATIONS = { bars: 'bars', trades: 'trades', quotes: 'quote' } as const;

/** Historical and latest market data. Source: docs.alpaca.markets, Market Data API reference. */
export const dataEndpoints: readonly Endpoint[] = [
  ...KINDS.flatMap((kind): Endpoint[] => [
    { method: 'GET', path: `/v2/stocks/${kind}`, operation: OPERATIONS[kind], run: (request) => history(request, kind, undefined) },
    { method: 'GET', path: `/v2/stocks/${kind}/latest`, operation: OPERATIONS[kind], run: (request) => latest(request, kind) },
    { method: 'GET', path: `/v2/stocks/*/${kind}`, operation: OPERATIONS[kind], run: (request) => history(request, kind, request.at[0]) },
    { method: 'GET', path: `/v2/stocks/*/${kind}/latest`, operation: OPERATIONS[kind], run: (request) => latestOf(request, kind) },
    { method: 'GET', path: `/v1beta3/crypto/*/${kind}`, operation: OPERATIONS[kind], run: (request) => history(request, kind, undefined) },
    { method: 'GET', path: `/v1beta3/crypto/*/latest/${kind}`, operation: OPERATIONS[kind], run: (request) => latest(request, kind) },
  ]),
  { method: 'GET', path: '/v1beta3/crypto/*/latest/orderbooks', operation: 'book', run: books },
  { method: 'GET', path: '/v2/stocks/snapshots', operation: 'quote', run: (request) => bySymbol(request, snapshot, (all) => all) },
  {
    method: 'GET',
    path: '/v2/stocks/*/snapshot',
    operation: 'quote',
    run: (request) => bySymbol(request, snapshot, (all) => ({ symbol: request.at[0], ...Object.values(all)[0] }), [request.at[0] ?? '']),
  },
  {
    method: 'GET',
    path: '/v1beta3/crypto/*/snapshots',
    operation: 'quote',
    run: (request) => bySymbol(request, snapshot, (snapshots) => ({ snapshots })),
  },
];

/** A timeframe such as `15Min`, as the venue's own intervals are written. @throws RangeError where it is none */
export function intervalOf(timeframe: string): string {
  const match = /^(\d+)(Min|T|Hour|H|Day|D|Week|W)$/.exec(timeframe);
  if (match === null) throw new RangeError(`invalid timeframe: ${timeframe}`);
  return `${match[1]}${UNITS[match[2] as keyof typeof UNITS]}`;
}

const UNITS = { Min: 'm', T: 'm', Hour: 'h', H: 'h', Day: 'd', D: 'd', Week: 'w', W: 'w' } as const;

type Row = Record<string, unknown>;

function refused(message: string): WireReply {
  return { status: 400, body: { message } };
}

function bySymbol(
  request: Request,
  value: (market: Market, at: number) => Row,
  wrap: (all: Record<string, Row>) => object,
  names = request.params.get('symbols')?.split(',') ?? [],
): WireReply {
  const all: Record<string, Row> = {};
  for (const name of names) {
    const market = deskOf(request.core, name)?.market;
    if (market === undefined) return refused(`invalid symbol: ${name}`);
    all[name] = value(market, request.core.agenda.now);
  }
  return ok(wrap(all));
}

function latest(request: Request, kind: Kind): WireReply {
  return bySymbol(
    request,
    (market, at) => latestRow(market, kind, at),
    (all) => ({ [kind]: all }),
  );
}

function latestOf(request: Request, kind: Kind): WireReply {
  const symbol = request.at[0] ?? '';
  return bySymbol(
    request,
    (market, at) => latestRow(market, kind, at),
    (all) => ({ symbol, [SINGULAR[kind]]: all[symbol] }),
    [symbol],
  );
}

function latestRow(market: Market, kind: Kind, at: number): Row {
  if (kind === 'quotes') return quotePayload(market, at, asText);
  if (kind === 'trades') return tradePayload(market, at, asText) ?? {};
  return barPayloads(market, at, { interval: '1m', everyMs: MINUTE_MS, start: undefined, limit: 1 }, asText)[0] ?? {};
}

function books(request: Request): WireReply {
  return bySymbol(
    request,
    (market, at) => bookPayload(market, at, BOOK_DEPTH, asText),
    (orderbooks) => ({ orderbooks }),
  );
}

function snapshot(market: Market, at: number): Row {
  const days = barPayloads(market, at, { interval: '1d', everyMs: DAY_MS, start: undefined, limit: 2 }, asText);
  return {
    latestTrade: latestRow(market, 'trades', at),
    latestQuote: latestRow(market, 'quotes', at),
    minuteBar: latestRow(market, 'bars', at),
    dailyBar: days.at(-1) ?? null,
    prevDailyBar: days.length > 1 ? days[0] : null,
  };
}

// Symbols one after the other, in the order of the alphabet, page by page over all of them.
function history(request: Request, kind: Kind, one: string | undefined): WireReply {
  const { params, core } = request;
  const now = core.agenda.now;
  const end = Math.min(timeIn(params, 'end') ?? now, now);
  const start = timeIn(params, 'start') ?? Math.floor(now / DAY_MS) * DAY_MS;
  const limit = Math.min(integer(params, 'limit') ?? DEFAULT_LIMIT, MOST) || DEFAULT_LIMIT;
  const offset = offsetOf(params.get('page_token'));
  if (offset === undefined) return refused('invalid page_token');
  const names = one === undefined ? (params.get('symbols')?.split(',') ?? []) : [one];
  const isDescending = params.get('sort') === 'desc';
  let rows: (market: Market, most: number) => Row[];
  try {
    rows = rowsOf(kind, params.get('timeframe'), start, end, isDescending);
  } catch (error) {
    return refused((error as Error).message);
  }
  const wanted = offset + limit + 1;
  const all: (readonly [symbol: string, row: Row])[] = [];
  for (const name of [...names].sort()) {
    const market = deskOf(core, name)?.market;
    if (market === undefined) return refused(`invalid symbol: ${name}`);
    if (all.length < wanted) for (const row of rows(market, wanted - all.length)) all.push([name, row]);
  }
  const page = all.slice(offset, offset + limit);
  const next = all.length > offset + limit ? tokenOf(offset + limit) : null;
  if (one !== undefined) return ok({ [kind]: page.map(([, row]) => row), symbol: one, next_page_token: next });
  const grouped: Record<string, Row[]> = {};
  for (const [name, row] of page) (grouped[name] ??= []).push(row);
  return ok({ [kind]: grouped, next_page_token: next });
}

function rowsOf(kind: Kind, timeframe: string | null, start: number, end: number, isDescending: boolean): (market: Market, most: number) => Row[] {
  if (kind === 'bars') {
    const interval = intervalOf(timeframe ?? '');
    const everyMs = intervalMs(interval);
    return (market, most) => {
      const limit = isDescending ? Math.min(most, Math.ceil((end - start) / everyMs) + 1) : most;
      const range = { interval, everyMs, start: isDescending ? undefined : Math.ceil(start / everyMs) * everyMs, limit };
      const bars = barPayloads(market, end, range, asText).filter(({ t }) => Date.parse(String(t)) >= start);
      return isDescending ? bars.reverse() : bars;
    };
  }
  const first = Math.ceil(start / TRADE_EVERY_MS);
  const last = Math.floor(end / TRADE_EVERY_MS);
  return (market, most) => {
    const count = Math.max(0, Math.min(most, last - first + 1));
    const until = (isDescending ? last : first + count - 1) * TRADE_EVERY_MS;
    const trades = market.trades(until, count);
    const rows = trades.map((trade) => (kind === 'trades' ? tradeJson(market, trade, asText) : quotePayload(market, trade.eventTime, asText)));
    return isDescending ? rows.reverse() : rows;
  };
}

function tokenOf(offset: number): string {
  return Buffer.from(String(offset)).toString('base64url');
}

function offsetOf(token: string | null): number | undefined {
  if (token === null || token === '') return 0;
  const offset = Number(Buffer.from(token, 'base64url').toString());
  return Number.isSafeInteger(offset) && offset >= 0 ? offset : undefined;
}
