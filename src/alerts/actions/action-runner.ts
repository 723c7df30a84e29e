import type { AlertActionRecord, AlertInstance } from '../../contracts/alerts.js';
import type { Bus } from '../../contracts/events.js';
import type { Clock } from '../../core/clock.js';
import { asError, VenueKitError } from '../../core/errors.js';
import { type Logger, redact, redactText } from '../../core/logger.js';
import type { ActionRef } from '../rules/rule.js';
import { COOLDOWN_MS, MAX_PER_HOUR } from '../rules/rule-defaults.js';
import type { AlertTrack } from '../state/alert-track.js';

/** What an action is told. */
export interface ActionContext {
  readonly alert: AlertInstance;
  /** From the rule. */
  readonly with: Readonly<Record<string, unknown>>;
}

/** Does something about an alert. Called again for the same alert it must do nothing more. Throwing, or rejecting, is a failure that is counted. */
export type AlertAction = (context: ActionContext) => void | Promise<void>;

/** What a runner works with. */
export interface ActionParts {
  readonly actions: Readonly<Record<string, AlertAction>>;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly logger: Logger;
  onRecord(record: AlertActionRecord): void;
}

interface Task {
  readonly track: AlertTrack;
  readonly ref: ActionRef;
  /** The episode of the alert that it is for. */
  readonly firedAt: number;
  readonly on: 'firing' | 'resolved';
  readonly key: string;
  wasSkipped: boolean;
}

const HOUR_MS = 3_600_000;
const TIMEOUT_MS = 30_000;
const MOST_REMEMBERED = 10_000;
const NOTHING: Readonly<Record<string, unknown>> = Object.freeze({});

/**
 * Runs actions of alerts: each once for each time that its alert is raised, never more often than its
 * cooldown and hourly bound allow, and for show unless its mode says otherwise. All of it is audited.
 */
export class ActionRunner {
  readonly #parts: ActionParts;
  readonly #due: Task[] = [];
  /** Runs of each action of each alert and episode, so that none is repeated. */
  readonly #done = new Map<string, number>();
  /** When each action ran last, by alert. */
  readonly #lastRun = new Map<string, number>();
  /** When each action of a rule ran within the last hour. */
  readonly #runs = new Map<string, number[]>();
  readonly #failing = new Set<string>();
  readonly #running = new Set<Promise<void>>();

  constructor(parts: ActionParts) {
    this.#parts = parts;
  }

  /** Takes up what was done before a restart. */
  restore(records: readonly AlertActionRecord[]): void {
    for (const { at, fingerprint, rule, firedAt, action, with: taken, on, outcome } of records) {
      if (outcome === 'skipped') continue;
      const key = actionKey(action, taken);
      this.#done.set(episodeKey(fingerprint, key, on, firedAt), at);
      this.#countRun(fingerprint, rule, key, at);
    }
  }

  /** An alert was raised, or is over. */
  offer(track: AlertTrack, on: 'firing' | 'resolved'): void {
    const { firedAt } = track.phase;
    // What was for its being raised is no longer wanted.
    for (let i = this.#due.length - 1; i >= 0; i--) if (this.#due[i]?.track === track) this.#due.splice(i, 1);
    for (const ref of track.rule.actions ?? []) {
      const key = actionKey(ref.do, redact(ref.with));
      if ((ref.on ?? 'firing') !== on || this.#done.has(episodeKey(track.fingerprint, key, on, firedAt))) continue;
      this.#due.push({ track, ref, firedAt, on, key, wasSkipped: false });
    }
  }

  /** Runs what is due and may run now. What is inhibited waits: its cause has actions of its own. */
  run(at: number): void {
    for (let i = 0; i < this.#due.length; ) {
      const task = this.#due[i] as Task;
      if (task.on === 'firing' && task.track.isInhibited) i++;
      else if (this.#mayRun(task, at)) {
        this.#due.splice(i, 1);
        this.#start(task, at);
      } else i++;
    }
    if (this.#done.size > MOST_REMEMBERED) this.#forgetBefore(at - HOUR_MS);
  }

  /** Resolves when no action runs. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  #mayRun(task: Task, at: number): boolean {
    const { ref, track, key } = task;
    const { cooldownMs = COOLDOWN_MS, maxPerHour = MAX_PER_HOUR } = ref;
    const last = this.#lastRun.get(`${track.fingerprint} ${key}`) ?? -Infinity;
    const runs = this.#runs.get(`${track.rule.id} ${key}`) ?? [];
    const withinHour = runs.filter((run) => run > at - HOUR_MS).length;
    const why =
      at - last < cooldownMs
        ? `within the cooldown of ${cooldownMs} ms`
        : withinHour >= maxPerHour
          ? `ran ${withinHour} times within the hour`
          : undefined;
    if (why === undefined) return true;
    if (!task.wasSkipped) this.#record(task, at, 'skipped', why);
    task.wasSkipped = true;
    return false;
  }

  #start(task: Task, at: number): void {
    const { track, ref, firedAt, on, key } = task;
    this.#done.set(episodeKey(track.fingerprint, key, on, firedAt), at);
    this.#countRun(track.fingerprint, track.rule.id, key, at);
    const alert = track.view();
    const act = this.#parts.actions[ref.do];
    if (ref.mode !== 'auto' || act === undefined) {
      this.#finish(task, alert, at, undefined);
      return;
    }
    const run = this.#withinTime(async () => act({ alert, with: ref.with ?? NOTHING })).then(
      () => this.#finish(task, alert, at, undefined),
      (error: unknown) => this.#finish(task, alert, at, asError(error)),
    );
    this.#running.add(run);
    void run.finally(() => this.#running.delete(run));
  }

  #withinTime(act: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#parts.clock.schedule(TIMEOUT_MS, () =>
        reject(new VenueKitError('TIMEOUT', `The action did not end within ${TIMEOUT_MS} ms; whether it was done is not known.`)),
      );
      void act()
        .then(resolve, reject)
        .finally(() => timer[Symbol.dispose]());
    });
  }

  #finish(task: Task, alert: AlertInstance, at: number, error: Error | undefined): void {
    const { bus, logger } = this.#parts;
    const { ref, track, key } = task;
    const mode = ref.mode ?? 'dry_run';
    const ok = error === undefined;
    this.#record(task, at, ok ? 'done' : 'failed', error === undefined ? undefined : redactText(error.message));
    if (bus.has('alert.action')) bus.emit('alert.action', { alert, action: ref.do, mode, ok });
    if (ok) this.#failing.delete(key);
    else if (!this.#failing.has(key)) {
      // Said once, until it works again; the metrics count each.
      this.#failing.add(key);
      logger.error({ rule: track.rule.id, action: ref.do, error }, 'an action of an alert failed');
    }
  }

  #record({ track, ref, firedAt, on }: Task, at: number, outcome: AlertActionRecord['outcome'], detail: string | undefined): void {
    this.#parts.onRecord({
      at,
      fingerprint: track.fingerprint,
      rule: track.rule.id,
      labels: track.labels,
      firedAt,
      action: ref.do,
      with: redact(ref.with ?? NOTHING) as Readonly<Record<string, unknown>>,
      on,
      mode: ref.mode ?? 'dry_run',
      outcome,
      ...(detail === undefined ? undefined : { detail }),
    });
  }

  #countRun(fingerprint: string, rule: string, key: string, at: number): void {
    const alertKey = `${fingerprint} ${key}`;
    this.#lastRun.set(alertKey, Math.max(at, this.#lastRun.get(alertKey) ?? -Infinity));
    const ruleKey = `${rule} ${key}`;
    const runs = (this.#runs.get(ruleKey) ?? []).filter((run) => run > at - HOUR_MS);
    runs.push(at);
    this.#runs.set(ruleKey, runs);
  }

  #forgetBefore(t: number): void {
    for (const [key, at] of this.#done) if (at < t) this.#done.delete(key);
    for (const [key, at] of this.#lastRun) if (at < t) this.#lastRun.delete(key);
  }
}

/** An action of a rule, told apart by what it takes. */
function actionKey(action: string, taken: unknown): string {
  return `${action} ${JSON.stringify(taken ?? {})}`;
}

function episodeKey(fingerprint: string, key: string, on: string, firedAt: number): string {
  return `${fingerprint} ${key} ${on} ${firedAt}`;
}
