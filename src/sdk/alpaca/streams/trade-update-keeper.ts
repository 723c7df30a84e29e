import { compare, subtract } from '../../../core/decimal.js';
import { FifoMap } from '../../../core/fifo-map.js';
import { type Json, listOf, objectOf, text } from '../../shared/json.js';
import { timeOf } from '../orders.js';
import type { WireRequest } from '../wire.js';

/** What a keeper is made of. */
export interface TradeUpdateParts {
  /** JSON of the Trading API, read until it is answered. */
  readonly read: (request: WireRequest) => Promise<unknown>;
  /** Hands an update to the SDK as if it had come over the stream. */
  readonly deliver: (update: Json) => void;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

interface Seen {
  filledQty: string;
  isOver: boolean;
}

const OVER: Readonly<Record<string, string>> = { canceled: 'canceled', expired: 'expired', rejected: 'rejected', replaced: 'replaced' };
const ORDERS = 10_000;
const UPDATES = 10_000;
/** How late what has happened may show in the lists. Source: design facts on Alpaca, two seconds. */
const LAG_MS = 2_000;
const MARGIN_MS = 1_000;
const PAGE = 500;
const FILLS_PAGE = 100;
const MOST_LOOKS = 3;

/**
 * What a stream of `trade_updates` has shown, so that after an interruption the rest can be read from the lists and told in the
 * same words: Alpaca numbers no updates and repeats none. Told so, an update has `recovered: true`. Updates that come twice are told once.
 */
export class TradeUpdateKeeper {
  readonly #parts: TradeUpdateParts;
  readonly #orders = new Map<string, Seen>();
  readonly #updates = new FifoMap<string, true>();
  #since: number;

  constructor(parts: TradeUpdateParts) {
    this.#parts = parts;
    this.#since = parts.now();
  }

  /** Takes note of an update. @returns whether it is news */
  take(update: Json): boolean {
    const order = objectOf(update.order, 'order');
    const id = text(order, 'id');
    const name = `${String(update.event)} ${id} ${String(update.execution_id)} ${String(update.timestamp)}`;
    if (this.#updates.has(name)) return false;
    this.#updates.set(name, true);
    if (this.#updates.size > UPDATES) this.#updates.shift();
    this.#note(id, order);
    const at = update.timestamp ?? order.updated_at;
    if (typeof at === 'string') this.#since = Math.max(this.#since, timeOf(at));
    return true;
  }

  /** Reads what has happened since the last update, and tells what was not told. */
  async recover(): Promise<void> {
    for (let look = 1; ; look++) {
      const since = new Date(this.#since - LAG_MS - MARGIN_MS).toISOString();
      const [changed, fills] = await Promise.all([this.#changed(since), this.#fills(since)]);
      const isWhole = changed.map((order) => this.#tell(order, fills, look === MOST_LOOKS)).every(Boolean);
      if (isWhole) return;
      await this.#parts.sleep(LAG_MS);
    }
  }

  /** @returns whether the fills that the order speaks of were all there. */
  #tell(order: Json, fills: readonly Json[], isLastLook: boolean): boolean {
    const id = text(order, 'id');
    if (this.#orders.get(id) === undefined)
      this.#deliver('new', { ...order, status: 'new', filled_qty: '0', filled_avg_price: null }, order.submitted_at);
    for (const fill of fills) {
      if (fill.order_id !== id) continue;
      const filled = text(fill, 'cum_qty');
      if (compare(filled, this.#filled(id)) <= 0) continue;
      const then = { ...order, filled_qty: filled, status: compare(filled, text(order, 'qty')) === 0 ? 'filled' : 'partially_filled' };
      this.#deliver(String(fill.type), then, fill.transaction_time, {
        execution_id: text(fill, 'id').split('::').at(-1),
        price: fill.price,
        qty: fill.qty,
      });
    }
    const total = text(order, 'filled_qty');
    if (compare(total, this.#filled(id)) > 0) {
      if (!isLastLook) return false;
      // The list of fills does not have it: the order does, with the average of all.
      const event = order.status === 'filled' ? 'fill' : 'partial_fill';
      this.#deliver(event, order, order.updated_at, { price: order.filled_avg_price, qty: subtract(total, this.#filled(id)) });
    }
    const event = OVER[text(order, 'status')];
    if (event !== undefined && this.#orders.get(id)?.isOver !== true) this.#deliver(event, order, order.updated_at);
    return true;
  }

  #deliver(event: string, order: Json, at: unknown, more: object = {}): void {
    this.#note(text(order, 'id'), order);
    this.#parts.deliver({ event, timestamp: at, order, ...more, recovered: true });
  }

  // What was taken in since, and what was open when the stream was last heard: it may have ended.
  async #changed(after: string): Promise<readonly Json[]> {
    const { read } = this.#parts;
    const query = { status: 'all', after, direction: 'asc', limit: PAGE };
    const rows = listOf(await read({ method: 'GET', path: '/v2/orders', query }), 'orders').map((row) => objectOf(row, 'order'));
    const listed = new Set(rows.map((row) => text(row, 'id')));
    const open = [...this.#orders].filter(([id, { isOver }]) => !isOver && !listed.has(id)).map(([id]) => id);
    for (const id of open) rows.push(objectOf(await read({ method: 'GET', path: `/v2/orders/${id}` }), 'order'));
    return rows;
  }

  async #fills(after: string): Promise<readonly Json[]> {
    const all: Json[] = [];
    for (let token: string | undefined; ; ) {
      const query = { after, direction: 'asc', page_size: FILLS_PAGE, page_token: token };
      const rows = listOf(await this.#parts.read({ method: 'GET', path: '/v2/account/activities/FILL', query }), 'activities');
      for (const row of rows) all.push(objectOf(row, 'activity'));
      if (rows.length < FILLS_PAGE) return all;
      token = text(objectOf(rows.at(-1), 'activity'), 'id');
    }
  }

  #filled(id: string): string {
    return this.#orders.get(id)?.filledQty ?? '0';
  }

  // Late updates tell of less than is known.
  #note(id: string, order: Json): void {
    const seen = this.#orders.get(id) ?? { filledQty: '0', isOver: false };
    const filled = text(order, 'filled_qty');
    if (compare(filled, seen.filledQty) > 0) seen.filledQty = filled;
    const status = text(order, 'status');
    seen.isOver ||= status === 'filled' || OVER[status] !== undefined;
    this.#orders.set(id, seen);
    if (this.#orders.size > ORDERS) this.#orders.delete(this.#orders.keys().next().value as string);
  }
}
