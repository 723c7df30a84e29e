import { AccessTracker } from './access-tracker.js';
import type { Cell } from './cell.js';

/** One consumer's reads of one key. A cell's form a chain: most keys have one reader, few have more than a handful. */
export class Tracked extends AccessTracker {
  readonly cell: Cell;
  readonly consumer: string | undefined;
  next: Tracked | undefined;

  constructor(cell: Cell, consumer: string | undefined) {
    super();
    this.cell = cell;
    this.consumer = consumer;
    this.next = cell.tracked;
    cell.tracked = this;
  }

  /** Takes itself out of its cell's chain. */
  leave(): void {
    const { cell } = this;
    if (cell.tracked === this) {
      cell.tracked = this.next;
      return;
    }
    for (let before = cell.tracked; before !== undefined; before = before.next) {
      if (before.next !== this) continue;
      before.next = this.next;
      return;
    }
  }
}

/** Of what is given up at once when there are too many. */
const SHARE_GIVEN_UP = 0.1;
/** Consumers of one key: who names each read anew must not make reads slower and slower. */
const MOST_CONSUMERS = 64;

/** The trackers of all cells, bounded in number: the longest unread go first. */
export class TrackerBook {
  readonly #most: number;
  readonly #onReleased: (cell: Cell) => void;
  #tracked: Tracked[] = [];

  /** @param onReleased - a cell has lost a tracker, and may be forgotten if nothing else is known of it. */
  constructor(most: number, onReleased: (cell: Cell) => void) {
    this.#most = most;
    this.#onReleased = onReleased;
  }

  get size(): number {
    return this.#tracked.length;
  }

  of(cell: Cell, consumer: string | undefined): Tracked {
    let count = 0;
    let oldest = cell.tracked;
    for (let tracked = oldest; tracked !== undefined; tracked = tracked.next) {
      if (tracked.consumer === consumer) return tracked;
      count++;
      if (tracked.lastAt < (oldest as Tracked).lastAt) oldest = tracked;
    }
    if (count >= MOST_CONSUMERS) oldest?.leave();
    if (this.#tracked.length >= this.#most) this.#giveUpOldest();
    const tracked = new Tracked(cell, consumer);
    this.#tracked.push(tracked);
    return tracked;
  }

  #giveUpOldest(): void {
    this.#tracked.sort((a, b) => b.lastAt - a.lastAt);
    const keep = Math.floor(this.#most * (1 - SHARE_GIVEN_UP));
    const released = this.#tracked.slice(keep);
    this.#tracked = this.#tracked.slice(0, keep);
    for (const tracked of released) {
      tracked.leave();
      this.#onReleased(tracked.cell);
    }
  }
}
