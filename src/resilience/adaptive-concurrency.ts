import { requireFraction, requireInteger, requireKnown, requireWithin } from '../core/options.js';

/** How an {@link AdaptiveConcurrency} finds its limit. */
export interface AdaptiveConcurrencyOptions {
  /** @defaultValue 1 */
  readonly min?: number;
  /** @defaultValue 200 */
  readonly max?: number;
  /** Where it begins. @defaultValue 20, within min and max */
  readonly initial?: number;
  /** What a loss multiplies the limit by. @defaultValue 0.9 */
  readonly backoff?: number;
  /** How many times slower than its usual latency the venue may get before the limit shrinks. @defaultValue 1.5 */
  readonly tolerance?: number;
}

/** How a call ended, as far as the venue's load is concerned: `lost` is a timeout, a refusal for load, or a 5xx. */
export type LoadSign = 'ok' | 'lost';

// A round holds at least so many calls: the mean of fewer says nothing.
const LEAST_ROUND = 10;
// So often the usual latency is measured anew, at half the limit: a mean that merely followed would take
// the queueing that we cause ourselves for usual, and the limit would creep up without end.
const ROUNDS_BETWEEN_PROBES = 50;

/** What a round is for: most adjust the limit; a probe first lets earlier calls drain, then measures. */
type Round = 'adjust' | 'drain' | 'measure';

/**
 * Finds how many calls at once the venue bears: one more after each round of calls without trouble
 * in which the limit was really used, multiplicatively less after a round with losses or with
 * latency above the usual. What is usual is the least that a round has shown, measured anew every
 * fifty rounds at half the limit.
 *
 * Sources: additive increase, multiplicative decrease (D.-M. Chiu, R. Jain, 1989); the gradient of
 * usual to present latency as in Netflix' concurrency-limits (2018); probing as in BBR (N. Cardwell et al., 2016).
 */
export class AdaptiveConcurrency {
  readonly #min: number;
  readonly #max: number;
  readonly #backoff: number;
  readonly #tolerance: number;
  #limit: number;
  #usualMs = 0;
  #round: Round = 'adjust';
  #rounds = 0;
  #calls = 0;
  #timed = 0;
  #sumMs = 0;
  #losses = 0;
  #mostInFlight = 0;

  /** @throws RangeError when an option is out of range; the message names option and value. */
  constructor(options: AdaptiveConcurrencyOptions = {}) {
    requireKnown('AdaptiveConcurrency', options, ['min', 'max', 'initial', 'backoff', 'tolerance']);
    const { min = 1, max = 200, backoff = 0.9, tolerance = 1.5 } = options;
    this.#min = requireInteger('min', min, 1);
    this.#max = requireInteger('max', max, min);
    this.#limit = requireWithin('initial', options.initial ?? Math.min(max, Math.max(min, 20)), min, max);
    this.#backoff = requireFraction('backoff', backoff);
    this.#tolerance = requireWithin('tolerance', tolerance, 1, 100);
  }

  /** Calls that may be in flight at once: a whole number within min and max. */
  get limit(): number {
    const limit = Math.floor(this.#limit);
    return this.#round === 'adjust' ? limit : Math.max(this.#min, limit >> 1);
  }

  /** The latency it takes for usual, in ms; 0 until a round has been measured. */
  get usualMs(): number {
    return this.#usualMs;
  }

  /**
   * Counts a call that has ended.
   * @param ms - how long it took; counts only where it ended well.
   * @param inFlight - calls in flight when it ended, itself included.
   */
  observe(sign: LoadSign, ms: number, inFlight: number): void {
    this.#calls++;
    if (inFlight > this.#mostInFlight) this.#mostInFlight = inFlight;
    if (sign === 'ok') {
      this.#timed++;
      this.#sumMs += ms;
    } else {
      this.#losses++;
    }
    if (this.#calls >= Math.max(LEAST_ROUND, this.limit)) this.#endRound();
  }

  #endRound(): void {
    const meanMs = this.#timed > 0 ? this.#sumMs / this.#timed : 0;
    if (this.#losses > 0) {
      this.#limit *= this.#backoff;
      this.#round = 'adjust';
    } else if (this.#round === 'drain') {
      this.#round = 'measure';
    } else if (this.#round === 'measure') {
      this.#usualMs = meanMs;
      this.#round = 'adjust';
    } else {
      this.#adjust(meanMs);
      if (++this.#rounds % ROUNDS_BETWEEN_PROBES === 0) this.#round = 'drain';
    }
    this.#limit = Math.min(this.#max, Math.max(this.#min, this.#limit));
    this.#calls = 0;
    this.#timed = 0;
    this.#sumMs = 0;
    this.#losses = 0;
    this.#mostInFlight = 0;
  }

  #adjust(meanMs: number): void {
    if (this.#usualMs === 0 || meanMs < this.#usualMs) this.#usualMs = meanMs;
    const gradient = meanMs === 0 ? 1 : (this.#usualMs * this.#tolerance) / meanMs;
    if (gradient < 1) this.#limit *= Math.max(0.5, gradient);
    // A limit that nobody reaches has not been tried: raising it would be a guess.
    else if (this.#mostInFlight >= this.limit) this.#limit += 1;
  }
}
