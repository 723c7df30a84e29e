import { add, compare, divide, multiply, subtract } from '../../../core/decimal.js';
import { FifoMap } from '../../../core/fifo-map.js';
import { type Json, text } from '../../shared/json.js';
import { millis } from '../orders/orders.js';
import { AccountListings, keyOf, type SignedRead, WEIGHT_OF_A_MARKET } from './account-listings.js';
import { changedAt, recoveredReport } from './recovered-reports.js';

/** What a keeper is made of. */
export interface ExecutionReportParts {
  readonly read: SignedRead;
  /** Hands an event to the SDK as if it had come over the stream; those that had not have `recovered: true`. */
  readonly deliver: (event: Json) => void;
  /** Market ids of which the client has orders, whatever the stream has shown. */
  readonly markets: () => Iterable<string>;
  /** An event shows that one before it has not come: {@link ExecutionReportKeeper.recover} is to be called. */
  readonly onGap: () => void;
  readonly sleep: (ms: number) => Promise<void>;
}

/** What has been told of an order. */
interface Told {
  /** All fills that were told, and what was there before the stream. */
  filledQty: string;
  filledQuote: string;
  /** Filled before the stream was open. */
  readonly before: string;
  /** When the order was taken in, by the report that said so; undefined: before the stream. */
  newAt?: number;
  isOver: boolean;
  readonly trades: Set<string>;
}

/** `opening`: what was there before is not known yet. `holding`: something is missing, and what comes waits for it. `passing`: the same, but it waits no longer. */
type State = 'opening' | 'live' | 'holding' | 'passing';

const ENDS = ['CANCELED', 'EXPIRED', 'REJECTED'];
const OVER = [...ENDS, 'FILLED', 'EXPIRED_IN_MATCH'];
const ORDERS = 10_000;
const OTHERS = 10_000;
/** How late what has happened may show in the listings. Source: Binance spot API, "data source: database", and design facts: five seconds. */
const LAG_MS = 5_000;
const LOOK_AGAIN_MS = 1_000;
const MOST_LOOKS = 5;

/**
 * What a stream of the account has told, so that after an interruption the rest can be read from the listings and told in the same
 * words: Binance numbers no events and repeats none. An order's events are told in the order in which they happened, each once.
 */
export class ExecutionReportKeeper {
  readonly #parts: ExecutionReportParts;
  readonly #listings: AccountListings;
  readonly #orders = new FifoMap<string, Told>();
  /** Events that are neither fills nor ends. */
  readonly #others = new FifoMap<string, true>();
  readonly #markets = new Set<string>();
  #held: Json[] = [];
  #state: State = 'opening';
  #losses = 0;
  /** Since when the stream is followed, by the venue's time. */
  #openedAt = Infinity;
  /** Until when nothing is missing. */
  #wholeAt = 0;

  constructor(parts: ExecutionReportParts) {
    this.#parts = parts;
    this.#listings = new AccountListings(parts.read);
  }

  /** An event as it came. */
  take(event: Json): void {
    if (this.#state === 'holding') {
      this.#held.push(event);
    } else if (event.e !== 'executionReport') {
      this.#parts.deliver(event);
    } else if (this.#state === 'live' && this.#isAhead(event)) {
      this.lose();
      this.#held.push(event);
      this.#parts.onGap();
    } else this.#pass(event);
  }

  /** Something may not come any more: what comes from now on waits until it is read. */
  lose(): void {
    this.#losses++;
    if (this.#state !== 'opening') this.#state = 'holding';
  }

  /** What waits is told, though something before it is missing: it is told late, once it could be read. */
  letPass(): void {
    if (this.#state === 'holding') this.#state = 'passing';
    this.#release();
  }

  /** Reads what was not told, and tells it. The first time it only looks what is there. */
  async recover(): Promise<void> {
    const losses = this.#losses;
    if (this.#openedAt === Infinity) await this.#open();
    else await this.#readMissed();
    // Lost again meanwhile: what waits may be from after that.
    if (this.#losses !== losses) return;
    this.#release();
    this.#state = 'live';
  }

  /**
   * Looks whether the stream has told everything, where nobody says when it breaks off: what it owes for longer than `graceMs` is told.
   * @returns whether it owed anything
   */
  async look(graceMs: number): Promise<boolean> {
    if (this.#state !== 'live' || !(await this.#owes())) return false;
    await this.#parts.sleep(graceMs);
    if (!(await this.#owes())) return false;
    this.lose();
    await this.recover();
    return true;
  }

  /** Weight of a {@link look} at the venue. */
  get lookWeight(): number {
    return WEIGHT_OF_A_MARKET * this.#knownMarkets().size;
  }

  async #open(): Promise<void> {
    const { rows, at } = await this.#listings.open();
    for (const order of rows) this.#adopt(order);
    this.#openedAt = at;
    this.#wholeAt = at;
  }

  async #readMissed(): Promise<void> {
    for (let look = 1; ; look++) {
      const { rows, at } = await this.#changed(true);
      const fills = new Map<Json, readonly Json[]>();
      for (const order of rows) if (compare(this.#missingQty(order), '0') > 0) fills.set(order, await this.#listings.fillsOf(order));
      // Nothing is waited for from here on: what is told meanwhile can't be told twice.
      const missed = rows.map((order) => this.#missedOf(order, fills.get(order) ?? [], look === MOST_LOOKS));
      for (const report of inTime(missed.map((one) => one ?? []))) this.#parts.deliver(report);
      if (missed.every((one) => one !== undefined)) {
        this.#wholeAt = Math.max(this.#wholeAt, at);
        return;
      }
      await this.#parts.sleep(LOOK_AGAIN_MS);
    }
  }

  async #owes(): Promise<boolean> {
    const losses = this.#losses;
    const { rows, at } = await this.#changed(false);
    const owes = rows.some((order) => this.#owesOf(order));
    if (!owes && this.#losses === losses) this.#wholeAt = Math.max(this.#wholeAt, at);
    return owes;
  }

  #owesOf(order: Json): boolean {
    const told = this.#orders.get(keyOf(order.symbol, order.orderId));
    if (told === undefined) return millis(order, 'time') >= this.#openedAt;
    return compare(this.#missingQty(order), '0') > 0 || (!told.isOver && OVER.includes(text(order, 'status')));
  }

  /** What is told of an order, taken note of; undefined where the listing of its fills does not show them all yet. */
  #missedOf(order: Json, listed: readonly Json[], isLastLook: boolean): readonly Json[] | undefined {
    const key = keyOf(order.symbol, order.orderId);
    const createdAt = millis(order, 'time');
    let told = this.#orders.get(key);
    if (told === undefined && createdAt < this.#openedAt) {
      this.#adopt(order);
      return [];
    }
    const missing = this.#missingQty(order);
    const fills = newestOf(listed, missing, told?.trades, this.#heldTrades(key));
    const short = subtract(missing, sumOf(fills));
    if (compare(short, '0') > 0 && !isLastLook) return undefined;
    const reports: Json[] = [];
    if (told === undefined) {
      told = { filledQty: '0', filledQuote: '0', before: '0', newAt: createdAt, isOver: false, trades: new Set() };
      this.#remember(key, order, told);
      reports.push(recoveredReport(order, { what: 'NEW', status: 'NEW', filledQty: '0', filledQuote: '0', at: createdAt }));
    }
    const missed = fills.map((fill) => ({ T: fill.time, t: fill.id, fill }));
    for (const one of [...missed, ...this.#heldOf(key)].sort(asItHappened)) {
      if ('fill' in one) {
        const { fill } = one as (typeof missed)[number];
        reports.push(this.#filled(order, told, fill, fill));
        continue;
      }
      this.#note(one);
      reports.push(one);
    }
    // The listing of fills never showed it: the order does, with the average of all.
    if (compare(short, '0') > 0) reports.push(this.#filled(order, told, averageOf(order, short)));
    const status = text(order, 'status');
    if (!OVER.includes(status) || told.isOver) return reports;
    told.isOver = true;
    const { filledQty, filledQuote } = told;
    reports.push(recoveredReport(order, { what: ENDS.includes(status) ? status : 'EXPIRED', status, filledQty, filledQuote, at: changedAt(order) }));
    return reports;
  }

  /** @param listed - the fill as the listing has it, if it does */
  #filled(order: Json, told: Told, fill: Json, listed?: Json): Json {
    const [qty, quote, price] = [text(fill, 'qty'), text(fill, 'quoteQty'), text(fill, 'price')];
    const filledQty = add(told.filledQty, qty);
    const filledQuote = add(told.filledQuote, quote);
    Object.assign(told, { filledQty, filledQuote });
    told.trades.add(String(fill.id));
    const status = compare(filledQty, text(order, 'origQty')) >= 0 ? 'FILLED' : 'PARTIALLY_FILLED';
    told.isOver ||= status === 'FILLED';
    const trade = { id: fill.id, qty, price, quote, ...(listed === undefined ? {} : { listed }) };
    return recoveredReport(order, { what: 'TRADE', status, filledQty, filledQuote, at: millis(fill, 'time'), trade });
  }

  async #changed(isEverywhere: boolean): ReturnType<AccountListings['changed']> {
    const open = [...this.#orders.keys()].filter((key) => this.#orders.get(key)?.isOver === false);
    return this.#listings.changed(this.#wholeAt - LAG_MS, this.#knownMarkets(), open, isEverywhere);
  }

  #missingQty(order: Json): string {
    const key = keyOf(order.symbol, order.orderId);
    const waiting = [...this.#heldTrades(key).values()].reduce((sum, report) => add(sum, text(report, 'l')), '0');
    return subtract(subtract(text(order, 'executedQty'), this.#orders.get(key)?.filledQty ?? '0'), waiting);
  }

  /** Of what waits, the news of one order, as they happened. */
  #heldOf(key: string): readonly Json[] {
    const news = new Map<string, Json>();
    for (const event of this.#held)
      if (event.e === 'executionReport' && keyOf(event.s, event.i) === key && !this.#isKnown(event)) news.set(nameOf(event), event);
    return [...news.values()].sort(asItHappened);
  }

  #heldTrades(key: string): ReadonlyMap<string, Json> {
    return new Map(this.#heldOf(key).flatMap((report) => (report.x === 'TRADE' ? [[text(report, 't'), report] as const] : [])));
  }

  #release(): void {
    if (this.#held.length === 0) return;
    const held = this.#held.sort(asItHappened);
    this.#held = [];
    for (const event of held) {
      if (event.e === 'executionReport') this.#pass(event);
      else this.#parts.deliver(event);
    }
  }

  #pass(report: Json): void {
    if (this.#isKnown(report)) return;
    this.#note(report);
    this.#parts.deliver(report);
  }

  #isKnown(report: Json): boolean {
    const told = this.#orders.get(keyOf(report.s, report.i));
    const what = text(report, 'x');
    if (what === 'TRADE') return told?.trades.has(text(report, 't')) === true;
    // A stop that has become an order says so in the same word, later.
    if (what === 'NEW') return told?.newAt !== undefined && millis(report, 'T') <= told.newAt;
    if (ENDS.includes(what)) return told?.isOver === true;
    return this.#others.has(nameOf(report));
  }

  /** Whether it tells more of its order than has been told. */
  #isAhead(report: Json): boolean {
    if (this.#isKnown(report)) return false;
    const told = this.#orders.get(keyOf(report.s, report.i));
    const what = text(report, 'x');
    if (told === undefined) return what !== 'NEW' && what !== 'REJECTED' && millis(report, 'O') >= this.#openedAt;
    const filled = text(report, 'z');
    return compare(what === 'TRADE' ? subtract(filled, text(report, 'l')) : filled, told.filledQty) > 0;
  }

  #note(report: Json): void {
    const key = keyOf(report.s, report.i);
    const what = text(report, 'x');
    const isTrade = what === 'TRADE';
    let told = this.#orders.get(key);
    if (told === undefined) {
      const before = isTrade ? subtract(text(report, 'z'), text(report, 'l')) : text(report, 'z');
      const filledQuote = isTrade ? subtract(text(report, 'Z'), text(report, 'Y')) : text(report, 'Z');
      told = { filledQty: before, filledQuote, before, isOver: false, trades: new Set() };
      this.#remember(key, { symbol: report.s }, told);
    }
    if (isTrade) {
      told.trades.add(text(report, 't'));
      if (compare(text(report, 'z'), told.before) > 0) {
        told.filledQty = add(told.filledQty, text(report, 'l'));
        told.filledQuote = add(told.filledQuote, text(report, 'Y'));
      }
    } else if (what === 'NEW') told.newAt = millis(report, 'T');
    else if (!ENDS.includes(what)) {
      this.#others.set(nameOf(report), true);
      if (this.#others.size > OTHERS) this.#others.shift();
    }
    told.isOver ||= OVER.includes(text(report, 'X'));
    this.#wholeAt = this.#state === 'live' ? Math.max(this.#wholeAt, millis(report, 'E')) : this.#wholeAt;
  }

  // What was there before the stream is nothing that it owes.
  #adopt(order: Json): void {
    const key = keyOf(order.symbol, order.orderId);
    if (this.#orders.has(key)) return;
    const filledQty = text(order, 'executedQty');
    const isOver = OVER.includes(text(order, 'status'));
    this.#remember(key, order, { filledQty, filledQuote: text(order, 'cummulativeQuoteQty'), before: filledQty, isOver, trades: new Set() });
  }

  #remember(key: string, { symbol }: Json, told: Told): void {
    this.#markets.add(String(symbol));
    this.#orders.set(key, told);
    if (this.#orders.size > ORDERS) this.#orders.shift();
  }

  #knownMarkets(): ReadonlySet<string> {
    return new Set([...this.#markets, ...this.#parts.markets()]);
  }
}

/** Whether an event of the account is no report, or one with everything in it that is read here. */
export function isReadable(event: Json): boolean {
  if (event.e !== 'executionReport') return true;
  const isNumber = (name: string): boolean => ['string', 'number'].includes(typeof event[name]) && Number.isFinite(Number(event[name]));
  return ['i', 'l', 'z', 'Y', 'Z', 't', 'T', 'E', 'O'].every(isNumber) && ['s', 'x', 'X'].every((name) => typeof event[name] === 'string');
}

function nameOf(report: Json): string {
  return `${keyOf(report.s, report.i)} ${String(report.x)} ${String(report.I)} ${String(report.T)}`;
}

/** Of the fills of an order those that come to `qty`, the newest ones: older ones may be from before the stream. */
function newestOf(listed: readonly Json[], qty: string, told: ReadonlySet<string> = new Set(), held: ReadonlyMap<string, Json>): readonly Json[] {
  const fills: Json[] = [];
  const oldestFirst = [...listed].sort((a, b) => Number(a.id) - Number(b.id));
  for (const fill of oldestFirst.reverse()) {
    if (compare(sumOf(fills), qty) >= 0) break;
    const id = text(fill, 'id');
    if (!told.has(id) && !held.has(id)) fills.unshift(fill);
  }
  return fills;
}

function sumOf(fills: readonly Json[]): string {
  return fills.reduce((sum, fill) => add(sum, text(fill, 'qty')), '0');
}

function averageOf(order: Json, qty: string): Json {
  const [executed, quote] = [text(order, 'executedQty'), text(order, 'cummulativeQuoteQty')];
  const price = divide(quote, executed);
  return { id: -1, qty, price, quoteQty: multiply(price, qty), time: changedAt(order) };
}

// Fills of a symbol are numbered; other reports of the same time are as they came.
function asItHappened(a: Json, b: Json): number {
  return timeOf(a) - timeOf(b) || (Number(a.t) > 0 && Number(b.t) > 0 ? Number(a.t) - Number(b.t) : Number(a.I ?? 0) - Number(b.I ?? 0));
}

function timeOf({ T, E }: Json): number {
  return Number(T ?? E);
}

/** The reports of several orders by their time, each order's in their own sequence. */
function inTime(byOrder: readonly (readonly Json[])[]): readonly Json[] {
  const timed = byOrder.flatMap((reports) => {
    let at = -Infinity;
    return reports.map((report) => ({ report, at: (at = Math.max(at, millis(report, 'T'))) }));
  });
  return timed.sort((a, b) => a.at - b.at).map(({ report }) => report);
}
