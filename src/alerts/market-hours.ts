import type { MarketCalendar } from '../contracts/alerts.js';
import { requireObject, requireText } from '../core/options.js';

/** A part of a day, in the market's own time: `09:30:00` to `16:00:00`; `1.00:00:00` is the end of the day. */
export interface MarketSession {
  readonly start: string;
  readonly end: string;
  /** Those of `market` count as open. */
  readonly state: string;
}

/** When one market trades, in the form of an entry of QuantConnect LEAN's market hours database. */
export type MarketHours = { readonly exchangeTimeZone: string; readonly holidays?: readonly string[] } & {
  readonly [Day in (typeof DAYS)[number]]?: readonly MarketSession[];
} & {
  /** `month/day/year`: when the market closes, or opens, on that day instead. */
  readonly earlyCloses?: Readonly<Record<string, string>>;
  readonly lateOpens?: Readonly<Record<string, string>>;
};

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;
const DAY_MS = 86_400_000;
/** Holidays in a row are fewer. */
const FURTHEST_DAYS = 15;

interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * A calendar from market hours.
 * @param hours - of all symbols
 * @param bySymbol - of symbols that trade at other times
 * @throws TypeError naming what is missing or is no time
 *
 * @example
 * const { entries } = JSON.parse(readFileSync('market-hours-database.json', 'utf8'));
 * const calendar = marketCalendar(entries['Equity-usa-[*]'], { ES: entries['Future-cme-ES'] });
 */
export function marketCalendar(hours: MarketHours, bySymbol: Readonly<Record<string, MarketHours>> = {}): MarketCalendar {
  const general = new Sessions('hours', hours);
  const own = new Map(Object.entries(bySymbol).map(([symbol, of]) => [symbol, new Sessions(`bySymbol.${symbol}`, of)]));
  return { session: (at, symbol) => ((symbol === undefined ? undefined : own.get(symbol)) ?? general).at(at) };
}

/** The sessions of one market; the answer is kept until it changes, since it is asked for every second. */
class Sessions {
  readonly #hours: MarketHours;
  readonly #days: readonly (readonly Span[])[];
  readonly #holidays: ReadonlySet<string>;
  readonly #wall: Intl.DateTimeFormat;
  #known: { readonly isOpen: boolean; readonly since: number; readonly until: number } | undefined;

  constructor(name: string, hours: MarketHours) {
    requireObject(name, hours);
    const timeZone = requireText(`${name}.exchangeTimeZone`, hours.exchangeTimeZone);
    this.#hours = hours;
    this.#days = DAYS.map((day) =>
      (hours[day] ?? [])
        .filter(({ state }) => state === 'market')
        .map(({ start, end }, i) => ({ from: timeOfDay(`${name}.${day}[${i}].start`, start), to: timeOfDay(`${name}.${day}[${i}].end`, end) })),
    );
    for (const [day, time] of Object.entries({ ...hours.earlyCloses, ...hours.lateOpens })) timeOfDay(`${name} on ${day}`, time);
    this.#holidays = new Set(hours.holidays ?? []);
    const parts = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const;
    this.#wall = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...parts });
  }

  at(at: number): { readonly isOpen: boolean; readonly since: number } {
    if (this.#known === undefined || at < this.#known.since || at >= this.#known.until) this.#known = this.#find(at);
    return this.#known;
  }

  /** Walks the days around: sessions that touch each other, as over midnight, are one. */
  #find(at: number): { readonly isOpen: boolean; readonly since: number; readonly until: number } {
    const today = Math.floor(this.#toWall(at) / DAY_MS);
    const spans: Span[] = [];
    for (let day = today - FURTHEST_DAYS; day <= today + FURTHEST_DAYS; day++) {
      for (const { from, to } of this.#spansOf(day)) {
        const [begin, end] = [this.#toUtc(day * DAY_MS + from), this.#toUtc(day * DAY_MS + to)];
        const last = spans.at(-1);
        if (last !== undefined && last.to >= begin) spans[spans.length - 1] = { from: last.from, to: end };
        else spans.push({ from: begin, to: end });
      }
    }
    const open = spans.find(({ from, to }) => at >= from && at < to);
    if (open !== undefined) return { isOpen: true, since: open.from, until: open.to };
    const since = spans.findLast(({ to }) => to <= at)?.to ?? -Infinity;
    return { isOpen: false, since, until: spans.find(({ from }) => from > at)?.from ?? at + DAY_MS };
  }

  /** The open parts of a day, in milliseconds from its midnight on the market's clock. */
  #spansOf(day: number): readonly Span[] {
    const date = new Date(day * DAY_MS);
    const name = `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${date.getUTCFullYear()}`;
    if (this.#holidays.has(name)) return [];
    const { earlyCloses = {}, lateOpens = {} } = this.#hours;
    const close = earlyCloses[name] === undefined ? Infinity : timeOfDay(name, earlyCloses[name]);
    const open = lateOpens[name] === undefined ? 0 : timeOfDay(name, lateOpens[name]);
    return (this.#days[date.getUTCDay()] as readonly Span[])
      .map(({ from, to }) => ({ from: Math.max(from, open), to: Math.min(to, close) }))
      .filter(({ from, to }) => from < to);
  }

  /** What a clock on the market's wall shows, as if it were UTC. */
  #toWall(at: number): number {
    const part: Record<string, number> = {};
    for (const { type, value } of this.#wall.formatToParts(at)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second);
  }

  #toUtc(wall: number): number {
    // Twice, since the first guess may lie on the other side of a change of the clocks.
    const guess = wall - (this.#toWall(wall) - wall);
    return wall - (this.#toWall(guess) - guess);
  }
}

/** Milliseconds from midnight. */
function timeOfDay(name: string, text: string): number {
  const match = /^(?:(\d)\.)?(\d{2}):(\d{2}):(\d{2})$/.exec(text);
  if (match === null) throw new TypeError(`${name} must be a time such as 09:30:00, got ${JSON.stringify(text)}`);
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((digits) => Number(digits ?? 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
}
