import { AccessTracker } from './access-tracker.js';
import type { Cell } from './cell.js';

interface Tracked {
  readonly cell: Cell;
  readonly consumer: string | undefined;
  readonly tracker: AccessTracker;
}

/** Of what is given up at once when there are too many. */
const SHARE_GIVEN_UP = 0.1;

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
    const known = consumer === undefined ? cell.tracker : cell.trackers?.get(consumer);
    if (known !== undefined) return known;
    if (this.#tracked.length >= this.#most) this.#giveUpOldest();
    const tracker = new AccessTracker();
    if (consumer === undefined) cell.tracker = tracker;
    else (cell.trackers ??= new Map()).set(consumer, tracker);
    this.#tracked.push({ cell, consumer, tracker });
    return tracker;
  }

  #giveUpOldest(): void {
    this.#tracked.sort((a, b) => b.tracker.lastAt - a.tracker.lastAt);
    const keep = Math.floor(this.#most * (1 - SHARE_GIVEN_UP));
    const released = this.#tracked.slice(keep);
    this.#tracked = this.#tracked.slice(0, keep);
    for (const { cell, consumer } of released) {
      if (consumer === undefined) cell.tracker = undefined;
      else if (cell.trackers?.delete(consumer) === true && cell.trackers.size === 0) cell.trackers = undefined;
      this.#onReleased(cell);
    }
  }
}
