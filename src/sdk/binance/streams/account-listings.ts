import { type Json, listOf, objectOf, text } from '../../shared/json.js';
import type { Params } from '../wire.js';

/** JSON of a signed GET, read until it is answered, and the venue's time when it was asked for, epoch ms. */
export type SignedRead = (path: string, params: Params) => Promise<{ readonly json: unknown; readonly at: number }>;

/** What the listings show, and the venue's time from which on they may show more. */
export interface Listed {
  readonly rows: readonly Json[];
  readonly at: number;
}

/** Of one market's orders that are open (6), and of its latest ones (20). Source: Binance spot API reference. */
export const WEIGHT_OF_A_MARKET = 26;
const PAGE = 1_000;

/** The venue counts its orders by symbol. */
export function keyOf(symbol: unknown, orderId: unknown): string {
  return `${String(symbol)} ${String(orderId)}`;
}

/** The listings of an account on Binance, which has its history by symbol only. */
export class AccountListings {
  readonly #read: SignedRead;

  constructor(read: SignedRead) {
    this.#read = read;
  }

  async open(params: Params = {}): Promise<Listed> {
    const { json, at } = await this.#read('/api/v3/openOrders', params);
    return { rows: rowsOf(json), at };
  }

  async fillsOf({ symbol, orderId }: Json): Promise<readonly Json[]> {
    return rowsOf((await this.#read('/api/v3/myTrades', { symbol, orderId, limit: PAGE })).json);
  }

  /**
   * The orders that were taken in since, those that are open, and those that were.
   * @param since - epoch ms of the venue
   * @param wereOpen - by {@link keyOf}
   * @param isEverywhere - open ones of every market, and the latest ones of those, too
   */
  async changed(since: number, markets: ReadonlySet<string>, wereOpen: readonly string[], isEverywhere: boolean): Promise<Listed> {
    const found = new Map<string, Json>();
    let from = Infinity;
    const listed = ({ rows, at }: Listed): void => {
      from = Math.min(from, at);
      for (const order of rows) found.set(keyOf(order.symbol, order.orderId), order);
    };
    if (isEverywhere) listed(await this.open());
    const all = new Set([...markets, ...[...found.values()].map(({ symbol }) => String(symbol))]);
    for (const symbol of all) {
      if (!isEverywhere) listed(await this.open({ symbol }));
      for await (const page of this.#takenIn(symbol, since)) listed(page);
    }
    for (const key of wereOpen) {
      if (found.has(key)) continue;
      const [symbol, orderId] = key.split(' ');
      const { json } = await this.#read('/api/v3/order', { symbol, orderId });
      found.set(key, objectOf(json, 'order'));
    }
    return { rows: [...found.values()], at: from };
  }

  async *#takenIn(symbol: string, since: number): AsyncGenerator<Listed, void, undefined> {
    for (let params: Params = { symbol, startTime: Math.floor(since), limit: PAGE }; ; ) {
      const { json, at } = await this.#read('/api/v3/allOrders', params);
      const rows = rowsOf(json);
      yield { rows, at };
      const last = rows.at(-1);
      if (rows.length < PAGE || last === undefined) return;
      params = { symbol, orderId: Number(text(last, 'orderId')) + 1, limit: PAGE };
    }
  }
}

function rowsOf(json: unknown): readonly Json[] {
  return listOf(json, 'listing').map((row) => objectOf(row, 'row'));
}
