import { AccessTracker } from './access-tracker.js';
import type { Cell } from './cell.js';

class Tracked extends AccessTracker {
  readonly cell: Cell;

  constructor(cell: Cell, consumer: string | undefined) {
    super(consumer);
    this.cell = cell;
    this.next = cell.tracked;
    cell.tracked = this;
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

  of(cell: Cell, consumer: string | undefined): AccessTracker {
    let count = 0;
    let oldest = cell.tracked;
    for (let tracked = oldest; tracked !== undefined; tracked = tracked.next) {
      if (tracked.consumer === consumer) return tracked;
      count++;
      if (tracked.lastAt < (oldest as AccessTracker).lastAt) oldest = tracked;
    }
    if (oldest !== undefined && count >= MOST_CONSUMERS) takeOut(cell, oldest);
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
      takeOut(tracked.cell, tracked);
      this.#onReleased(tracked.cell);
    }
  }
}

function takeOut(cell: Cell, tracker: AccessTracker): void {
  if (cell.tracked === tracker) {
    cell.tracked = tracker.next;
    return;
  }
  for (let before = cell.tracked; before !== undefined; before = before.next) {
    if (before.next !== tracker) continue;
    before.next = tracker.next;
    return;
  }
}
