import type { Ledger } from './ledger.js';
import type { FillRecord, OrderList, OrderOwner, OrderRecord, OrderVersion } from './order-record.js';

/** Append-only in time, cut at the front; finding a moment is a binary search. */
class TimeLine<T extends { readonly at: number }> {
  #items: T[] = [];
  #start = 0;

  push(item: T): void {
    this.#items.push(item);
  }

  /** In order, from the first at or after `at` (engine time). */
  *since(at: number): IterableIterator<T> {
    let low = this.#start;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#items[middle]!.at < at) low = middle + 1;
      else high = middle;
    }
    for (; low < this.#items.length; low++) yield this.#items[low]!;
  }

  /** Takes out everything before `at`, oldest first. */
  cutBefore(at: number, each: (item: T) => void): void {
    while (this.#start < this.#items.length && this.#items[this.#start]!.at < at) each(this.#items[this.#start++]!);
    if (this.#start > 1_024 && this.#start > this.#items.length / 2) {
      this.#items = this.#items.slice(this.#start);
      this.#start = 0;
    }
  }
}

/** Everything that the venue keeps of one account. */
export class AccountBooks implements OrderOwner {
  readonly name: string;
  readonly ledger: Ledger;
  readonly open: Set<OrderRecord> = new Set();
  readonly byId: Map<number, OrderRecord> = new Map();
  readonly fills: TimeLine<FillRecord> = new TimeLine();
  readonly changes: TimeLine<OrderVersion> = new TimeLine();
  /** By their ids, oldest first. */
  readonly lists: Map<number, OrderList> = new Map();
  readonly #byClientId = new Map<string, OrderRecord>();
  readonly #usedClientIds: Set<string> | undefined;

  /** @param remembersClientIds - keeps every client id ever used, archived orders included. */
  constructor(name: string, ledger: Ledger, remembersClientIds: boolean) {
    this.name = name;
    this.ledger = ledger;
    this.#usedClientIds = remembersClientIds ? new Set() : undefined;
  }

  add(order: OrderRecord): void {
    this.byId.set(order.id, order);
    this.#link(order);
  }

  /** Gives an order another client id. */
  rename(order: OrderRecord, clientOrderId: string): void {
    this.#unlink(order);
    order.clientOrderId = clientOrderId;
    this.#link(order);
  }

  #link(order: OrderRecord): void {
    order.previous = this.#byClientId.get(order.clientOrderId);
    this.#byClientId.set(order.clientOrderId, order);
    this.#usedClientIds?.add(order.clientOrderId);
  }

  hasUsed(clientOrderId: string): boolean {
    return this.#usedClientIds?.has(clientOrderId) ?? this.#byClientId.has(clientOrderId);
  }

  hasOpen(clientOrderId: string): boolean {
    return [...this.withClientId(clientOrderId)].some((order) => order.isLive);
  }

  /** The open list of that id of the client's, else the newest. */
  listOf(clientId: string): OrderList | undefined {
    let newest: OrderList | undefined;
    for (const list of this.lists.values()) {
      if (list.clientId !== clientId) continue;
      if (!list.isDone) return list;
      newest = list;
    }
    return newest;
  }

  /** Newest first. */
  *withClientId(clientOrderId: string): IterableIterator<OrderRecord> {
    for (let order = this.#byClientId.get(clientOrderId); order !== undefined; order = order.previous) yield order;
  }

  /** Forgets what ended before `at` (engine time). */
  archiveBefore(at: number, archived: (order: OrderRecord) => void): void {
    this.fills.cutBefore(at, () => {});
    this.changes.cutBefore(at, (version) => {
      const { order } = version;
      if (order.isLive || order.latest !== version) return;
      this.#remove(order);
      archived(order);
    });
  }

  #remove(order: OrderRecord): void {
    this.byId.delete(order.id);
    if (order.list?.orders.every(({ id }) => !this.byId.has(id)) === true) this.lists.delete(order.list.id);
    this.#unlink(order);
  }

  #unlink(order: OrderRecord): void {
    const newest = this.#byClientId.get(order.clientOrderId);
    if (newest === order) {
      if (order.previous === undefined) this.#byClientId.delete(order.clientOrderId);
      else this.#byClientId.set(order.clientOrderId, order.previous);
      return;
    }
    for (let later = newest; later !== undefined; later = later.previous) if (later.previous === order) later.previous = order.previous;
  }
}
