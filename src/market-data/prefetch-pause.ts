import type { Bus } from '../contracts/events.js';
import type { Clock } from '../core/clock.js';
import type { LimitObservation } from '../core/limits.js';

/** Prefetch pauses when this share of a rate limit is used. */
const BUDGET_SHARE = 0.7;
/** For how long, where the venue does not say when the limit resets. */
const BUDGET_PAUSE_MS = 1_000;

export interface PrefetchPauseOptions {
  readonly clock: Clock;
  readonly bus: Bus | undefined;
  readonly venue: string;
  /** It begins: what is queued and nobody waits for need not be sent. */
  readonly onPaused: () => void;
}

/**
 * Whether anything is fetched ahead at all: not while the host has asked that nothing is, nor while a
 * limit of the venue is nearly used up. Each has an end of its own, so that lifting one leaves the other.
 */
export class PrefetchPause implements Disposable {
  readonly #options: PrefetchPauseOptions;
  readonly #limits: Disposable | undefined;
  #askedUntil = -Infinity;
  #limitedUntil = -Infinity;
  #isAnnounced = false;
  #timer: Disposable | undefined;
  #timerAt = Infinity;

  constructor(options: PrefetchPauseOptions) {
    this.#options = options;
    this.#limits = options.bus?.on('limit.observed', (seen) => this.#onLimit(seen));
  }

  isOn(now: number): boolean {
    return now < this.#askedUntil || now < this.#limitedUntil;
  }

  /** Pauses for `ms` from now, or longer if that was asked before. */
  ask(ms: number): void {
    const now = this.#options.clock.monotonic();
    this.#askedUntil = Math.max(this.#askedUntil, now + ms);
    this.#update(now, 'asked');
  }

  /** Takes back all that was asked. */
  lift(): void {
    this.#askedUntil = -Infinity;
    this.#update(this.#options.clock.monotonic(), 'asked');
  }

  [Symbol.dispose](): void {
    this.#limits?.[Symbol.dispose]();
    this.#disarm();
  }

  #onLimit({ used, remaining, resetAt, blockedUntil }: LimitObservation): void {
    const { clock } = this.#options;
    const wall = clock.now();
    let ms = blockedUntil === undefined ? 0 : blockedUntil - wall;
    if (used !== undefined && remaining !== undefined && used >= BUDGET_SHARE * (used + remaining)) {
      ms = Math.max(ms, resetAt === undefined ? BUDGET_PAUSE_MS : resetAt - wall);
    }
    if (!(ms > 0)) return;
    const now = clock.monotonic();
    this.#limitedUntil = Math.max(this.#limitedUntil, now + ms);
    this.#update(now, 'limit');
  }

  #update(now: number, why: 'asked' | 'limit'): void {
    const isOn = this.isOn(now);
    if (isOn) this.#watchEnd(now);
    else this.#disarm();
    if (isOn === this.#isAnnounced) return;
    this.#isAnnounced = isOn;
    const { bus, venue, onPaused } = this.#options;
    if (isOn) onPaused();
    if (bus?.has('cache.prefetch_state') === true) bus.emit('cache.prefetch_state', { venue, state: isOn ? 'paused' : 'running', why });
  }

  // Prolonged, it is not armed anew: it fires, and looks again.
  #watchEnd(now: number): void {
    const until = Math.max(this.#askedUntil, this.#limitedUntil);
    if (until >= this.#timerAt) return;
    this.#disarm();
    this.#timerAt = until;
    const why = this.#askedUntil === until ? 'asked' : 'limit';
    this.#timer = this.#options.clock.schedule(until - now, () => {
      this.#timerAt = Infinity;
      this.#update(this.#options.clock.monotonic(), why);
    });
  }

  #disarm(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }
}
