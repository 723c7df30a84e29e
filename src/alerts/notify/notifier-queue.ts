import type { AlertInstance, Notifier } from '../../contracts/alerts.js';
import type { Bus } from '../../contracts/events.js';
import { abortable } from '../../core/abort.js';
import type { Clock } from '../../core/clock.js';
import { asError, VenueKitError } from '../../core/errors.js';
import { type Logger, redactError } from '../../core/logger.js';
import type { Random } from '../../core/random.js';
import type { AlertTrack } from '../state/alert-track.js';

/** How alerts reach people. */
export interface NotifyPolicy {
  /** Labels (and `rule`, `severity`) that alerts must share to be told together. */
  readonly groupBy: readonly string[];
  /** What still fires is told again, so often. */
  readonly repeatMs: number;
  readonly timeoutMs: number;
  /** Attempts in a row, before a pause of a minute. */
  readonly attempts: number;
  /** Groups that one notifier is handed within a minute; the rest waits and is told together. */
  readonly maxPerMinute: number;
}

/** What a queue works with. */
export interface QueueParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly policy: NotifyPolicy;
  readonly closing: AbortSignal;
  /** A notifier has taken alerts: kept, so that a restart does not tell them again. */
  onTold(notifier: string, alerts: readonly AlertInstance[], status: 'firing' | 'resolved'): void;
}

interface Waiting {
  readonly status: 'firing' | 'resolved';
  readonly alert: AlertInstance;
  /** Part of an attempt whose outcome is not known to have been nothing. */
  wasTried: boolean;
}

const MINUTE_MS = 60_000;
const BACKOFF_MS = 1_000;
const MOST_WAITING = 1_000;

/**
 * The way to one notifier, off the evaluation path: one delivery at a time, each with a time limit,
 * repeated with growing pauses. What changes while it waits is told as it is then; what was told is
 * not told again before its time.
 */
export class NotifierQueue {
  readonly #notifier: Notifier;
  readonly #parts: QueueParts;
  readonly #repeatMs: number;
  /** When each raised alert was told, by fingerprint. */
  readonly #told = new Map<string, { readonly firedAt: number; at: number }>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #sentAt: number[] = [];
  #pumping: Promise<void> | undefined;
  #isFailing = false;
  #dropped = 0;

  constructor(notifier: Notifier, parts: QueueParts) {
    this.#notifier = notifier;
    this.#parts = parts;
    this.#repeatMs = notifier.resendMs ?? parts.policy.repeatMs;
  }

  get name(): string {
    return this.#notifier.name;
  }

  /** Resolves when nothing waits to be told. */
  async settled(): Promise<void> {
    while (this.#pumping !== undefined) await this.#pumping;
  }

  /** Told before a restart. */
  restore(fingerprint: string, firedAt: number, at: number): void {
    this.#told.set(fingerprint, { firedAt, at });
  }

  /** What is raised now and what is over since the last time. */
  offer(raised: readonly AlertTrack[], resolved: readonly AlertInstance[], at: number): void {
    for (const alert of resolved) this.#offerResolved(alert);
    for (const track of raised) {
      if (track.suppressedBy.length > 0 && this.#notifier.wantsSuppressed !== true) {
        // Not told yet, and now suppressed: never mind.
        if (this.#waiting.get(track.fingerprint)?.wasTried === false) this.#waiting.delete(track.fingerprint);
        continue;
      }
      const told = this.#told.get(track.fingerprint);
      const isFresh = told === undefined || told.firedAt !== track.phase.firedAt;
      if (!isFresh && at - told.at < this.#repeatMs) continue;
      if (this.#waiting.get(track.fingerprint)?.status === 'firing') continue;
      this.#wait('firing', track.view());
    }
    if (this.#waiting.size > 0) this.#pumping ??= this.#pump();
  }

  #offerResolved(alert: AlertInstance): void {
    const waiting = this.#waiting.get(alert.fingerprint);
    if (waiting !== undefined && !waiting.wasTried && !this.#told.has(alert.fingerprint)) {
      // Came and went before anybody could be told.
      this.#waiting.delete(alert.fingerprint);
      return;
    }
    if (waiting !== undefined || this.#told.has(alert.fingerprint)) this.#wait('resolved', alert);
  }

  #wait(status: 'firing' | 'resolved', alert: AlertInstance): void {
    this.#waiting.delete(alert.fingerprint);
    this.#waiting.set(alert.fingerprint, { status, alert, wasTried: false });
    if (this.#waiting.size <= MOST_WAITING) return;
    const [oldest] = this.#waiting.keys();
    this.#waiting.delete(oldest as string);
    if (this.#dropped++ === 0)
      this.#parts.logger.error({ notifier: this.#notifier.name }, `more than ${MOST_WAITING} alerts wait for a notifier; the oldest are dropped`);
  }

  async #pump(): Promise<void> {
    const { closing, clock, random, policy } = this.#parts;
    // Behind the tick that offered, so that no notifier runs inside an evaluation.
    await Promise.resolve();
    try {
      for (let failures = 0; this.#waiting.size > 0 && !closing.aborted; ) {
        const pauseMs = this.#pauseMs();
        if (pauseMs > 0) await clock.sleep(pauseMs, closing);
        if (await this.#deliver(failures + 1)) failures = 0;
        else failures = failures + 1 >= policy.attempts ? 0 : failures + 1;
        if (!this.#isFailing || this.#waiting.size === 0) continue;
        const backoffMs = failures === 0 ? MINUTE_MS : Math.min(MINUTE_MS, BACKOFF_MS * 2 ** (failures - 1));
        await clock.sleep(backoffMs * (0.5 + random() / 2), closing);
      }
    } catch (error) {
      // Closing ends every wait; nothing else throws here.
      if (!closing.aborted) this.#parts.logger.error({ notifier: this.#notifier.name, error: asError(error) }, 'a notifier could not be served');
    } finally {
      this.#pumping = undefined;
    }
  }

  /** How long until another group may be handed over. */
  #pauseMs(): number {
    const now = this.#parts.clock.monotonic();
    while (this.#sentAt.length > 0 && (this.#sentAt[0] as number) <= now - MINUTE_MS) this.#sentAt.shift();
    return this.#sentAt.length < this.#parts.policy.maxPerMinute ? 0 : (this.#sentAt[0] as number) + MINUTE_MS - now;
  }

  async #deliver(attempt: number): Promise<boolean> {
    const { clock, bus, logger, policy, closing, onTold } = this.#parts;
    const { name } = this.#notifier;
    const group = this.#nextGroup();
    const first = group[0];
    if (first === undefined) return true;
    const { status } = first;
    const alerts = group.map(({ alert }) => alert);
    for (const waiting of group) waiting.wasTried = true;
    const began = clock.monotonic();
    const isLast = attempt >= policy.attempts;
    const tell = (ok: boolean): void => {
      if (!bus.has('alert.notification')) return;
      bus.emit('alert.notification', { notifier: name, status, alerts: alerts.length, attempts: attempt, ms: clock.monotonic() - began, ok });
    };
    try {
      this.#sentAt.push(began);
      await this.#withinTime({ status, alerts });
    } catch (error) {
      if (closing.aborted) return false;
      if (isLast) tell(false);
      if (!this.#isFailing)
        logger.warn({ notifier: name, attempt, error: redactError(asError(error)) }, 'a notifier failed; it is tried again, and said when it works');
      this.#isFailing = true;
      return false;
    }
    if (this.#isFailing) logger.info({ notifier: name }, 'the notifier works again');
    this.#isFailing = false;
    const at = clock.now();
    for (const waiting of group) {
      const { fingerprint, firedAt = at } = waiting.alert;
      // Another state may have come in meanwhile: it still waits.
      if (this.#waiting.get(fingerprint) === waiting) this.#waiting.delete(fingerprint);
      if (status === 'firing') this.#told.set(fingerprint, { firedAt, at });
      else this.#told.delete(fingerprint);
    }
    tell(true);
    onTold(name, alerts, status);
    return true;
  }

  async #withinTime(group: Parameters<Notifier['notify']>[0]): Promise<void> {
    const { clock, policy, closing } = this.#parts;
    const controller = new AbortController();
    const onClosing = (): void => controller.abort(closing.reason);
    closing.addEventListener('abort', onClosing, { once: true });
    const timer = clock.schedule(policy.timeoutMs, () =>
      controller.abort(new VenueKitError('TIMEOUT', `The notifier did not answer within ${policy.timeoutMs} ms.`)),
    );
    try {
      // Not every notifier heeds its signal; nobody waits longer for one that doesn't.
      await abortable(Promise.resolve(this.#notifier.notify(group, controller.signal)), controller.signal);
    } finally {
      timer[Symbol.dispose]();
      closing.removeEventListener('abort', onClosing);
    }
  }

  /** All that is told together with what has waited longest. */
  #nextGroup(): Waiting[] {
    const [first] = this.#waiting.values();
    if (first === undefined) return [];
    const { wantsSuppressed = false } = this.#notifier;
    const keyOf = ({ alert }: Waiting): string =>
      wantsSuppressed ? '' : JSON.stringify(this.#parts.policy.groupBy.map((name) => groupValue(alert, name)));
    const key = keyOf(first);
    return [...this.#waiting.values()].filter((waiting) => waiting.status === first.status && keyOf(waiting) === key);
  }
}

function groupValue(alert: AlertInstance, name: string): string {
  if (name === 'rule' || name === 'severity') return alert[name];
  return alert.labels[name] ?? '';
}
