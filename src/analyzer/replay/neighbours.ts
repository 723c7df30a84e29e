import type { Random } from '../../core/random.js';
import type { Timed } from './estimate.js';

const NEAR = 64;

/**
 * Draws from what happened about then: among the records nearest in time, so that a bad quarter of an hour stays one in a replay.
 */
export class Neighbours<T extends Timed> {
  readonly #records: readonly T[];
  readonly #random: Random;

  /** @param records - in order of time, at least one. */
  constructor(records: readonly T[], random: Random) {
    this.#records = records;
    this.#random = random;
  }

  draw(t: number): T {
    const records = this.#records;
    let [low, high] = [0, records.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (records[middle]!.t < t) low = middle + 1;
      else high = middle;
    }
    const first = Math.max(0, Math.min(records.length - NEAR, low - NEAR / 2));
    return records[first + Math.floor(this.#random() * Math.min(NEAR, records.length))]!;
  }
}
