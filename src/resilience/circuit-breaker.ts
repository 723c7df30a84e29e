import type { Clock } from '../core/clock.js';
import { type Logger, redactingLogger } from '../core/logger.js';
import { requireFunction, requireInteger, requireKnown, requirePositive, requireWithin } from '../core/options.js';
import { callHook } from './hook.js';
import { OutcomeWindow } from './outcome-window.js';
import { PolicyError } from './policy-error.js';

/** `closed` lets calls through, `open` none, `half_open` a few probes. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** A change of state, as `onStateChange` gets it. */
export interface BreakerChange {
  readonly from: BreakerState;
  readonly state: BreakerState;
  /** In words. */
  readonly reason: string;
}

/** When a {@link CircuitBreaker} opens and how it closes again. */
export interface CircuitBreakerOptions {
  readonly clock: Clock;
  /** Share of failed calls in the window, above 0, from which it opens. @defaultValue 0.5 */
  readonly failureRate?: number;
  /** Calls in the window below which no rate is computed. @defaultValue 20 */
  readonly minCalls?: number;
  /** How long it stays open before it lets probes through. @defaultValue 5_000 */
  readonly openMs?: number;
  /** Length of the rolling window. @defaultValue 10_000 */
  readonly windowMs?: number;
  /** Calls let through while half open; as many successes close it, one failure opens it again. @defaultValue 1 */
  readonly probes?: number;
  readonly onStateChange?: (change: BreakerChange) => void;
  /** Hears of an `onStateChange` that throws. @defaultValue silence */
  readonly logger?: Logger;
}

/**
 * Stops calling a venue that fails, and finds out with a few probes when it has recovered. All time
 * is monotonic: a step of the wall clock neither opens nor closes it.
 *
 * Every `allow()` that says true is followed by exactly one `success()`, `failure()` or, where the
 * call proved nothing (aborted by the caller, never sent), `ignore()`.
 *
 * @example
 * if (!breaker.allow()) throw breaker.error('orders');
 * try { await send(); breaker.success(); } catch (error) { breaker.failure(); throw error; }
 *
 * Source: M. Nygard, "Release It!", 2007; rolling window and probes as in resilience4j.
 */
export class CircuitBreaker {
  readonly #clock: Clock;
  readonly #failureRate: number;
  readonly #minCalls: number;
  readonly #openMs: number;
  readonly #probes: number;
  readonly #onStateChange: ((change: BreakerChange) => void) | undefined;
  readonly #logger: Logger;
  readonly #window: OutcomeWindow;
  #state: BreakerState = 'closed';
  #reason = '';
  #since = 0;
  /** Monotonic ms until which its own failures keep it open. */
  #openUntil = -Infinity;
  /** Monotonic ms until which each of those who tripped it want it open. */
  readonly #trips = new Set<{ readonly until: number }>();
  #probing = 0;
  #probed = 0;
  #lastProbeAt = 0;

  /** @throws RangeError when an option is out of range; the message names option and value. */
  constructor(options: CircuitBreakerOptions) {
    requireKnown('CircuitBreaker', options, ['clock', 'failureRate', 'minCalls', 'openMs', 'windowMs', 'probes', 'onStateChange', 'logger']);
    const { clock, failureRate = 0.5, minCalls = 20, openMs = 5_000, windowMs = 10_000, probes = 1, onStateChange, logger } = options;
    this.#clock = clock;
    this.#failureRate = requirePositive('failureRate', requireWithin('failureRate', failureRate, 0, 1));
    this.#minCalls = requireInteger('minCalls', minCalls, 1);
    this.#openMs = requirePositive('openMs', openMs);
    this.#window = new OutcomeWindow(windowMs);
    this.#probes = requireInteger('probes', probes, 1);
    this.#onStateChange = onStateChange === undefined ? undefined : requireFunction('onStateChange', onStateChange);
    this.#logger = redactingLogger(logger);
  }

  /** `open` turns `half_open` with the first call after `openMs`, not by itself. */
  get state(): BreakerState {
    return this.#state;
  }

  /** Why it is in its state, in words; empty until the first change. */
  get reason(): string {
    return this.#reason;
  }

  /** Share of failures among the calls of the rolling window, 0 to 1. */
  get failureRate(): number {
    this.#window.forgetOld(this.#clock.monotonic());
    return this.#window.failureRate;
  }

  /** Milliseconds until a call may be let through; 0 where one may be at once. */
  get retryAfterMs(): number {
    const now = this.#clock.monotonic();
    if (this.#state === 'open') return Math.max(0, this.#probeAt() - now);
    if (this.#state === 'half_open' && this.#probing >= this.#probes) return Math.max(0, this.#lastProbeAt + this.#openMs - now);
    return 0;
  }

  /** Whether the call may be made. */
  allow(): boolean {
    return this.#state === 'closed' || this.#allowProbe();
  }

  /** The call that was allowed came back well. @param now - monotonic ms, where the caller has just read them. */
  success(now: number = this.#clock.monotonic()): void {
    if (this.#state === 'closed') this.#window.succeeded(now);
    else this.#countProbe();
  }

  /** The call that was allowed failed in a way that speaks against the venue. @param now - as for {@link success}. */
  failure(now: number = this.#clock.monotonic()): void {
    if (this.#state === 'closed') {
      this.#window.failed(now);
      const { calls, failures, failureRate } = this.#window;
      if (calls >= this.#minCalls && failureRate >= this.#failureRate) this.#openFor(this.#openMs, `${failures} of ${calls} calls failed`);
    } else if (this.#state === 'half_open' && this.#probing > 0) {
      this.#openFor(this.#openMs, 'a probe failed');
    }
  }

  /** The call that was allowed ended without evidence for or against the venue. */
  ignore(): void {
    if (this.#state === 'half_open' && this.#probing > 0) this.#probing--;
  }

  /**
   * Opens it at once. Where several have tripped it, it stays open until the last of them is content;
   * what comes then is a probe.
   * @param reason - in words, for people.
   * @param forMs - how long, from now. @defaultValue `openMs`
   * @returns takes this trip back.
   */
  trip(reason: string, forMs: number = this.#openMs): Disposable {
    const now = this.#clock.monotonic();
    const trip = { until: now + requirePositive('forMs', forMs) };
    for (const earlier of this.#trips) if (earlier.until <= now) this.#trips.delete(earlier);
    this.#trips.add(trip);
    this.#change('open', reason);
    return { [Symbol.dispose]: () => void this.#trips.delete(trip) };
  }

  /** Closes it, whoever has tripped it, and forgets what was counted. */
  reset(): void {
    this.#openUntil = -Infinity;
    this.#trips.clear();
    this.#change('closed', 'reset');
  }

  /** What to fail with when {@link allow} said no. @param what - the operations that it guards. */
  error(what: string): PolicyError {
    const retryAfterMs = this.retryAfterMs;
    const next = this.#state === 'open' ? `the next probe goes in ${Math.ceil(retryAfterMs)} ms` : 'a probe is on its way';
    return new PolicyError('CIRCUIT_OPEN', `Not sent: the circuit breaker of ${what} is ${this.#state} (${this.#reason}); ${next}`, { retryAfterMs });
  }

  #countProbe(): void {
    if (this.#state !== 'half_open' || this.#probing === 0) return;
    this.#probing--;
    this.#probed++;
    if (this.#probed >= this.#probes) this.#change('closed', this.#probes === 1 ? 'the probe succeeded' : `${this.#probes} probes succeeded`);
  }

  #allowProbe(): boolean {
    const now = this.#clock.monotonic();
    if (this.#state === 'open') {
      if (now < this.#probeAt()) return false;
      this.#change('half_open', `open for ${Math.round(now - this.#since)} ms`);
      // Whoever listens to the change may have tripped it again.
      return this.#allowAfterChange(now);
    }
    // A probe whose end nobody told: without this the breaker would wait for it forever.
    if (this.#probing >= this.#probes && now - this.#lastProbeAt >= this.#openMs) this.#probing = 0;
    return this.#takeProbe(now);
  }

  #allowAfterChange(now: number): boolean {
    if (this.#state === 'half_open') return this.#takeProbe(now);
    return this.#state === 'closed';
  }

  #takeProbe(now: number): boolean {
    if (this.#probing + this.#probed >= this.#probes) return false;
    this.#probing++;
    this.#lastProbeAt = now;
    return true;
  }

  #openFor(ms: number, reason: string): void {
    this.#openUntil = this.#clock.monotonic() + ms;
    this.#change('open', reason);
  }

  /** When it lets a probe through, monotonic ms. */
  #probeAt(): number {
    let at = this.#openUntil;
    for (const { until } of this.#trips) at = Math.max(at, until);
    return at;
  }

  #change(to: BreakerState, reason: string): void {
    const from = this.#state;
    this.#state = to;
    this.#reason = reason;
    if (from !== to) this.#since = this.#clock.monotonic();
    this.#probing = 0;
    this.#probed = 0;
    if (to === 'closed') this.#window.clear();
    if (from !== to && this.#onStateChange !== undefined) callHook(this.#onStateChange, { from, state: to, reason }, this.#logger);
  }
}
