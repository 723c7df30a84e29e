import { ok, type WireReply } from '../served/wire-reply.js';
import { fillsSince } from '../venue/lookups.js';
import type { FillRecord } from '../venue/order-record.js';
import { summaryOf } from './account-summary.js';
import { deskOf, type Endpoint, integer, type Request, timeIn } from './endpoint.js';
import { activityId, activityJson, assetJson, isoTime } from './wire-format.js';
import { notFound, unprocessable } from './wire-reply.js';

const DAY_MS = 86_400_000;
const OPENS_AT_MS = 13.5 * 3_600_000;
const CLOSES_AT_MS = 20 * 3_600_000;
const PAGE = 100;
/** The served market never closes: bots are tested at any time of the day. */
const IS_OPEN = true;

/** Account, activities, clock, calendar and assets. Source: docs.alpaca.markets, Trading API reference. */
export const accountEndpoints: readonly Endpoint[] = [
  { method: 'GET', path: '/v2/account', operation: 'balances', run: account },
  { method: 'GET', path: '/v2/account/configurations', operation: 'balances', run: () => ok(CONFIGURATION) },
  { method: 'PATCH', path: '/v2/account/configurations', operation: 'ping', run: ({ body }) => ok({ ...CONFIGURATION, ...body }) },
  { method: 'GET', path: '/v2/account/activities', operation: 'fills', run: activities },
  { method: 'GET', path: '/v2/account/activities/*', operation: 'fills', run: activities },
  { method: 'GET', path: '/v2/clock', operation: 'serverTime', run: clock },
  { method: 'GET', path: '/v2/calendar', operation: 'instrument', run: calendar },
  { method: 'GET', path: '/v2/assets', operation: 'instrument', run: assets },
  { method: 'GET', path: '/v2/assets/*', operation: 'instrument', run: asset },
  // The name of a pair of crypto assets may also come with its slash as it is.
  { method: 'GET', path: '/v2/assets/*/*', operation: 'instrument', run: (request) => asset({ ...request, at: [request.at.join('/')] }) },
];

const CONFIGURATION = {
  dtbp_check: 'entry',
  fractional_trading: true,
  max_margin_multiplier: '1',
  no_shorting: true,
  pdt_check: 'entry',
  ptp_no_exception_entry: false,
  suspend_trade: false,
  trade_confirm_email: 'all',
};

function account(request: Request): WireReply {
  const { cash, buyingPower, longValue, equity } = summaryOf(request);
  return ok({
    id: request.ids.of('account', 0),
    account_number: 'SIMULATED',
    status: 'ACTIVE',
    crypto_status: 'ACTIVE',
    currency: 'USD',
    buying_power: buyingPower,
    regt_buying_power: buyingPower,
    daytrading_buying_power: '0',
    non_marginable_buying_power: buyingPower,
    options_buying_power: '0',
    cash,
    accrued_fees: '0',
    portfolio_value: equity,
    equity,
    last_equity: equity,
    long_market_value: longValue,
    short_market_value: '0',
    initial_margin: '0',
    maintenance_margin: '0',
    last_maintenance_margin: '0',
    sma: '0',
    multiplier: '1',
    daytrade_count: 0,
    pattern_day_trader: false,
    trading_blocked: false,
    transfers_blocked: false,
    account_blocked: false,
    trade_suspended_by_user: false,
    shorting_enabled: false,
    created_at: isoTime(0),
  });
}

// Fills are the one kind of activity that a simulated venue has.
function activities({ core, account: name, ids, at, params, asOf }: Request): WireReply {
  const kinds = (at[0] ?? params.get('activity_types') ?? 'FILL').split(',');
  if (!kinds.includes('FILL')) return ok([]);
  const now = asOf();
  const after = timeIn(params, 'after') ?? -Infinity;
  const until = timeIn(params, 'until') ?? Infinity;
  const fills = fillsSince(core.engine.account(name), after, now, core.venueClock.largestOffsetMs).filter(({ venueTime }) => venueTime <= until);
  const isAscending = params.get('direction') === 'asc';
  const ordered = isAscending ? fills : [...fills].reverse();
  const token = params.get('page_token');
  const start = token === null || token === '' ? 0 : ordered.findIndex((fill) => activityId(fill, ids) === token) + 1;
  const size = Math.min(integer(params, 'page_size') ?? PAGE, PAGE);
  return ok(ordered.slice(start, start + size).map((fill) => activityJson(fill, filledUpTo(fill), ids)));
}

function filledUpTo(fill: FillRecord): number {
  let filled = 0;
  for (const one of fill.order.fills) {
    filled += one.qty;
    if (one === fill) break;
  }
  return filled;
}

function clock({ core }: Request): WireReply {
  const now = core.venueClock.venueNow();
  const day = Math.floor(now / DAY_MS) * DAY_MS;
  const next = (time: number): string => isoTime(day + time > now ? day + time : day + DAY_MS + time);
  return ok({ timestamp: isoTime(now), is_open: IS_OPEN, next_open: next(OPENS_AT_MS), next_close: next(CLOSES_AT_MS) });
}

function calendar({ core, params }: Request): WireReply {
  const today = core.venueClock.venueNow();
  const start = timeIn(params, 'start') ?? today;
  const end = Math.min(timeIn(params, 'end') ?? start + 30 * DAY_MS, start + 366 * DAY_MS);
  const days: object[] = [];
  for (let day = Math.floor(start / DAY_MS) * DAY_MS; day <= end; day += DAY_MS) {
    const weekday = new Date(day).getUTCDay();
    if (weekday !== 0 && weekday !== 6)
      days.push({
        date: isoTime(day).slice(0, 10),
        open: '09:30',
        close: '16:00',
        session_open: '0400',
        session_close: '2000',
        settlement_date: isoTime(day + DAY_MS).slice(0, 10),
      });
  }
  return ok(days);
}

function assets({ core, ids, params }: Request): WireReply {
  const kind = params.get('asset_class');
  const status = params.get('status');
  const all = core.symbols.map((symbol) => assetJson(symbol, ids));
  return ok(all.filter((one) => (kind === null || one.class === kind) && (status === null || one.status === status)));
}

function asset({ core, ids, at }: Request): WireReply {
  const name = at[0] ?? '';
  const number = ids.numberOf('asset', name);
  const symbol = number === undefined ? deskOf(core, name)?.market.symbol : core.symbols[number - 1];
  if (name === '') return unprocessable('symbol is required');
  return symbol === undefined ? notFound(`asset not found for ${name}`) : ok(assetJson(symbol, ids));
}
