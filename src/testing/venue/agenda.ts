import type { Clock } from '../../core/clock.js';
import { Heap } from '../../core/heap.js';
import type { VenueClock } from './venue-clock.js';

interface Item {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * What the venue does by itself at given times. It happens in order of time before anything that is
 * asked later, and also when nobody asks: a timer waits for the earliest.
 */
export class Agenda {
  readonly #clock: Clock;
  readonly #venueClock: VenueClock;
  readonly #items = new Heap<Item>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  #planned = 0;
  #now: number;
  #timer: Disposable | undefined;
  #timerAt = Infinity;
  #isRunning = false;

  constructor(clock: Clock, venueClock: VenueClock) {
    this.#clock = clock;
    this.#venueClock = venueClock;
    this.#now = venueClock.engineNow();
  }

  /** Engine time; while something planned runs, the time that it was planned for. */
  get now(): number {
    return this.#now;
  }

  plan(at: number, run: () => void): void {
    if (at === Infinity) return;
    this.#items.push({ at: Math.max(at, this.#now), order: this.#planned++, run });
    this.#arm();
  }

  /** Does all that is due. */
  catchUp(): void {
    if (this.#isRunning) return;
    const until = this.#venueClock.engineNow();
    if (this.#items.size > 0) {
      this.#isRunning = true;
      try {
        for (let next = this.#items.peek(); next !== undefined && next.at <= until; next = this.#items.peek()) {
          this.#items.pop();
          this.#now = next.at;
          next.run();
        }
      } finally {
        this.#isRunning = false;
      }
    }
    this.#now = Math.max(this.#now, until);
  }

  #arm(): void {
    const next = this.#items.peek();
    if (next === undefined || next.at >= this.#timerAt) return;
    this.#timer?.[Symbol.dispose]();
    this.#timerAt = next.at;
    this.#timer = this.#clock.schedule(Math.max(0, next.at - this.#venueClock.engineNow()), () => {
      this.#timerAt = Infinity;
      this.#timer = undefined;
      this.catchUp();
      this.#arm();
    });
  }
}
