import { Heap } from '../../core/heap.js';
import type { OrderPhase, OrderRecord } from './order-record.js';

/** Orders of one symbol and side that wait for a price; the one that is reached first is on top. */
export class RestingOrders {
  readonly #phase: OrderPhase;
  readonly #before: (a: OrderRecord, b: OrderRecord) => boolean;
  #heap: Heap<OrderRecord>;
  #ended = 0;

  /** @param prefers - whether the first level is reached before the second. */
  constructor(phase: 'resting' | 'waiting', prefers: (a: number, b: number) => boolean) {
    this.#phase = phase;
    const level = phase === 'resting' ? (order: OrderRecord) => order.price : (order: OrderRecord) => order.stopPrice;
    this.#before = (a, b) => {
      const x = level(a);
      const y = level(b);
      return x === y ? a.id < b.id : prefers(x, y);
    };
    this.#heap = new Heap(this.#before);
  }

  add(order: OrderRecord): void {
    this.#heap.push(order);
  }

  peek(): OrderRecord | undefined {
    for (;;) {
      const top = this.#heap.peek();
      if (top === undefined || top.phase === this.#phase) return top;
      this.#heap.pop();
      this.#ended--;
    }
  }

  /** An order ended without having been on top; the heap is rebuilt once most of it has. */
  noteEnded(): void {
    this.#ended++;
    if (this.#ended >= 64 && this.#ended >= this.#heap.size / 2) this.rebuild();
  }

  /** In order again, without those that have ended. */
  rebuild(): void {
    const live = [...this.#heap].filter((order) => order.phase === this.#phase);
    this.#heap = new Heap(this.#before);
    for (const order of live) this.#heap.push(order);
    this.#ended = 0;
  }
}
