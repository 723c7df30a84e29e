import type { AlertInstance, AlertState, Silence } from '../contracts/alerts.js';
import { type Bus, EventBus } from '../contracts/events.js';
import type { MetricStore } from '../contracts/metric-store.js';
import { type Clock, systemClock } from '../core/clock.js';
import { asError, closedError } from '../core/errors.js';
import { type Logger, redactingLogger } from '../core/logger.js';
import { requireKnown, requireNonNegative, requireObject, requireText } from '../core/options.js';
import { type Random, systemRandom } from '../core/random.js';
import { SampleWindows } from '../query/index.js';
import { ActionRunner } from './actions/action-runner.js';
import { type BacktestOptions, backtest } from './backtest.js';
import { type AlertEngineOptions, requireEngineOptions } from './engine-options.js';
import { NotifierQueue } from './notify/notifier-queue.js';
import type { RuleRunner } from './rule-runner.js';
import { RuleSet } from './rule-set.js';
import { type Abilities, requireRules } from './rules/check-rule.js';
import type { AlertRule } from './rules/rule.js';
import { rulesFromJson } from './rules/rules-from-json.js';
import { isStandardRule } from './rules/standard-rules.js';
import { AlertHistory } from './state/alert-history.js';
import type { AlertTrack } from './state/alert-track.js';
import { suppress } from './suppression.js';
import { type PrometheusExport, toPrometheus } from './to-prometheus.js';
import { UnknownMetrics } from './unknown-metrics.js';

/** Evaluations begin so long after the second, when its samples have been stored. */
const SETTLE_MS = 100;
const EARLY_MS = 20;
const TELL_APART = 16 ** 12;

/**
 * Watches metrics by rules, tells people and does something about it.
 *
 * Each tick evaluates the rules that are due, on what the store has; alerts are told and actions
 * begun behind it, so that neither a slow webhook nor a hanging action holds up the next one. What a
 * restart must not forget is kept in the store, where it can keep alerts.
 *
 * @example
 * const engine = new AlertEngine({ store, rules: standardRules(), notifiers: [slackNotifier({ url })] });
 * engine.start();
 */
export class AlertEngine implements AsyncDisposable {
  readonly #store: MetricStore;
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #options: AlertEngineOptions;
  readonly #abilities: Abilities;
  readonly #windows = new SampleWindows();
  readonly #rules: RuleSet;
  readonly #history: AlertHistory;
  readonly #actions: ActionRunner;
  readonly #queues: readonly NotifierQueue[];
  readonly #unknown: UnknownMetrics;
  readonly #silences = new Map<string, Silence>();
  readonly #closing = new AbortController();
  /** What this tick has changed so far. */
  readonly #changes: { readonly track: AlertTrack; readonly from: AlertState }[] = [];
  #ticking: Promise<void> = Promise.resolve();
  #isTicking = false;
  #failures = 0;
  #lastAt = Number.NaN;
  #hasRead = false;
  #timer: Disposable | undefined;

  /**
   * @throws TypeError or RangeError naming the option that can't be meant; RuleError with everything
   * that is wrong with the rules.
   */
  constructor(options: AlertEngineOptions) {
    const policy = requireEngineOptions(options);
    const { store, rules = [], notifiers = [], actions = {}, clock = systemClock, random = systemRandom, bus = new EventBus() } = options;
    this.#options = options;
    this.#store = store;
    this.#bus = bus;
    this.#clock = clock;
    this.#random = random;
    const logger = redactingLogger(options.logger);
    this.#logger = logger;
    this.#abilities = { actions: Object.keys(actions), hasDetector: options.detector !== undefined };
    this.#history = new AlertHistory(store, logger);
    this.#unknown = new UnknownMetrics(this.#windows, logger);
    this.#actions = new ActionRunner({ actions, clock, bus, logger, onRecord: (record) => this.#history.saveAction(record) });
    const closing = this.#closing.signal;
    this.#queues = notifiers.map(
      (notifier) =>
        new NotifierQueue(notifier, {
          clock,
          random,
          bus,
          logger,
          policy,
          closing,
          onTold: (...told) => this.#history.saveTold(...told, clock.now()),
        }),
    );
    this.#rules = new RuleSet({
      windows: this.#windows,
      makeDetector: options.detector,
      since: clock.now(),
      calendar: options.calendar,
      onChange: (track, from) => void this.#changes.push({ track, from }),
      onFailure: (rule, error, isFirst) => this.#onFailure(rule, error, isFirst),
      onRecovery: ({ id, severity }) => this.#logger.info({ rule: id, severity }, 'the rule can be evaluated again'),
    });
    this.add(...rules);
  }

  /**
   * Adds rules, all or none; they are evaluated from the next tick on.
   * @throws RuleError with everything that is wrong and its path: shape, syntax with its position, what
   * can never fire, circles of inhibition
   */
  add(...rules: readonly AlertRule[]): void {
    this.#requireOpen();
    const checked = requireRules(rules, this.#abilities, 'code');
    this.#rules.add(checked);
    for (const rule of checked) if (!isStandardRule(rule)) this.#unknown.watch(rule);
  }

  /**
   * {@link AlertEngine.add} for rules as JSON: a list, or `{ "rules": [...] }`, as a text or parsed.
   * @throws RuleError
   */
  load(json: unknown): void {
    this.#requireOpen();
    const checked = requireRules(rulesFromJson(json), this.#abilities, 'json');
    this.#rules.add(checked);
    for (const rule of checked) this.#unknown.watch(rule);
  }

  /** The rules, in the order in which they came. */
  get rules(): readonly AlertRule[] {
    return this.#rules.rules;
  }

  /**
   * Evaluates the rules that are due at `now` (epoch ms). Resolves when states and audit have been kept;
   * notifications and actions go on behind it. Calls wait for each other; one that is not after the last does nothing.
   */
  tick(now: number): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.reject(closedError('AlertEngine'));
    requireNonNegative('now', now);
    const run = this.#ticking.then(() => this.#tick(now));
    this.#ticking = run.catch(() => {});
    return run;
  }

  /** Ticks by itself from now on, as often as the most frequent rule asks, until it is closed. */
  start(): void {
    this.#requireOpen();
    if (this.#timer === undefined) this.#schedule();
  }

  /** Alerts that are pending or raised, and for a quarter of an hour those that are over. */
  instances(): readonly AlertInstance[] {
    const shown: AlertInstance[] = [];
    for (const { tracks } of this.#rules.runners)
      for (const track of tracks) if (track.phase.state !== 'inactive' || !Number.isNaN(track.phase.resolvedAt)) shown.push(track.view());
    return shown;
  }

  /**
   * Keeps people from being told of alerts whose labels, `rule` and `severity` are all as in `match`.
   * Actions are not silenced.
   * @param silence - `until`: epoch ms
   * @returns its id, for {@link AlertEngine.unsilence}
   */
  silence(silence: Pick<Silence, 'match' | 'until' | 'by' | 'comment'>): string {
    this.#requireOpen();
    requireKnown('silence()', requireObject('silence', silence), ['match', 'until', 'by', 'comment']);
    const { match, until, by, comment } = silence;
    const pairs = Object.entries(requireObject('match', match));
    if (pairs.length === 0) throw new RangeError('match must name one label at least, since an empty one silences everything');
    for (const [name, value] of pairs) if (typeof value !== 'string') throw new TypeError(`match.${name} must be a string, got ${String(value)}`);
    const createdAt = this.#clock.now();
    if (!(until > createdAt && until < Infinity)) throw new RangeError(`until must be a finite time after now, which is ${createdAt}, got ${until}`);
    const id = Math.floor(this.#random() * TELL_APART)
      .toString(16)
      .padStart(12, '0');
    this.#keepSilence({ id, match: { ...match }, until, by: requireText('by', by), comment: requireText('comment', comment), createdAt });
    return id;
  }

  /** Ends a silence. @returns whether there was one */
  unsilence(id: string): boolean {
    const silence = this.#silences.get(id);
    if (silence === undefined) return false;
    this.#keepSilence({ ...silence, until: this.#clock.now() });
    return true;
  }

  /** Silences that have not ended. */
  silences(): readonly Silence[] {
    const now = this.#clock.now();
    return [...this.#silences.values()].filter(({ until }) => until > now);
  }

  /**
   * What rules would have raised on stored history: every alert of the range, over or not, in order of
   * its raising. Nobody is told, nothing is done, nothing kept.
   */
  backtest(
    rules: readonly AlertRule[],
    range: { readonly from: number; readonly to: number },
    options: BacktestOptions = {},
  ): Promise<readonly AlertInstance[]> {
    const checked = requireRules(rules, this.#abilities, 'code');
    return backtest(checked, range, { store: this.#store, makeDetector: this.#options.detector, calendar: this.#options.calendar }, options);
  }

  /** The rules as a rule file of Prometheus, and what it can't express. */
  toPrometheus(): PrometheusExport {
    return toPrometheus(this.#rules.rules);
  }

  /** Resolves when everything that has been raised was told and done, or could not be. */
  async settled(): Promise<void> {
    await this.#ticking;
    await Promise.all([...this.#queues.map((queue) => queue.settled()), this.#actions.settled()]);
    await this.#history.settled();
  }

  /** Ends ticking and telling. What could not be told is told after a restart, where the store keeps alerts. */
  async close(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#closing.abort(closedError('AlertEngine'));
    await this.#ticking;
    await Promise.all(this.#queues.map((queue) => queue.settled()));
    await this.#history.settled();
    this.#rules.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #requireOpen(): void {
    if (this.#closing.signal.aborted) throw closedError('AlertEngine');
  }

  #schedule(): void {
    const everyMs = Math.min(...[...this.#rules.runners].map((runner) => runner.everyMs), 60_000);
    const settleMs = Math.min(SETTLE_MS, everyMs / 4);
    const now = this.#clock.now();
    const boundary = (Math.floor((now - settleMs + EARLY_MS) / everyMs) + 1) * everyMs;
    this.#timer = this.#clock.schedule(boundary + settleMs - now, () => {
      if (this.#closing.signal.aborted) return;
      // One at a time: what a slow store makes late is not made up for.
      if (!this.#isTicking)
        this.tick(boundary).catch((error: unknown) => this.#logger.error({ error: asError(error) }, 'a tick of the alerts failed'));
      this.#schedule();
    });
  }

  async #tick(at: number): Promise<void> {
    if (at <= this.#lastAt) return;
    this.#isTicking = true;
    const began = this.#clock.monotonic();
    this.#failures = 0;
    try {
      await this.#takeUpKept(at);
      const due = [...this.#rules.runners].filter((runner) => runner.isDue(at));
      await this.#evaluate(due, at);
      this.#announce(at);
      this.#keepTick(at);
      this.#lastAt = at;
      await this.#history.settled();
      if (this.#bus.has('alert.evaluated'))
        this.#bus.emit('alert.evaluated', { rules: due.length, failed: this.#failures, ms: this.#clock.monotonic() - began });
    } finally {
      this.#isTicking = false;
    }
  }

  async #evaluate(due: readonly RuleRunner[], at: number): Promise<void> {
    const { signal } = this.#closing;
    let failure: Error | undefined;
    try {
      await this.#windows.fill(this.#store, at, { signal });
    } catch (error) {
      failure = asError(error);
    }
    if (signal.aborted) return;
    for (const runner of due) {
      // What is read from nowhere is judged by nothing else than the store.
      if (failure !== undefined && runner.rule.type !== 'custom') runner.fail(at, failure);
      else {
        if (runner.needsWarmUp) await runner.warmUp(this.#store, at, signal);
        runner.evaluate(at);
      }
    }
    if (failure === undefined) this.#unknown.tell();
  }

  /** Tells what has changed: the bus at once, people and actions behind the tick. */
  #announce(at: number): void {
    const raised = [...this.#rules.raised()];
    if (raised.length > 0) suppress(raised, this.#silences.values(), at);
    const resolved: AlertInstance[] = [];
    for (const { track, from } of this.#changes.splice(0)) {
      const alert = track.view();
      this.#history.saveAlert({ at, alert, from });
      if (this.#bus.has('alert')) this.#bus.emit('alert', { alert, from });
      if (alert.state === 'inactive' && from !== 'pending') {
        resolved.push(alert);
        this.#actions.offer(track, 'resolved');
      } else if (track.isRaised && (from === 'pending' || from === 'inactive')) this.#actions.offer(track, 'firing');
    }
    this.#actions.run(at);
    for (const queue of this.#queues) queue.offer(raised, resolved, at);
  }

  #keepTick(at: number): void {
    for (const runner of this.#rules.runners) {
      if (!runner.isPending) continue;
      this.#history.saveTick({ at, stepMs: Number.isNaN(this.#lastAt) ? 0 : at - this.#lastAt });
      return;
    }
  }

  /** What was kept before a restart: alerts, silences, and what was told and done about them. */
  async #takeUpKept(at: number): Promise<void> {
    if (!this.#hasRead) {
      this.#hasRead = true;
      const { open, silences, actions, told, tick } = await this.#history.read(at);
      this.#rules.keep(open, tick);
      for (const silence of silences) if (!this.#silences.has(silence.id)) this.#silences.set(silence.id, silence);
      this.#actions.restore(actions);
      for (const { notifier, fingerprint, firedAt, at: toldAt } of told)
        for (const queue of this.#queues) if (queue.name === notifier) queue.restore(fingerprint, firedAt, toldAt);
    }
    this.#rules.takeUpKept(at, (track, isAnew) => {
      // Where its `for` began anew, the store must know from when on.
      if (isAnew) this.#history.saveAlert({ at, alert: track.view(), from: 'pending' });
      else if (track.isRaised) this.#actions.offer(track, 'firing');
    });
  }

  #keepSilence(silence: Silence): void {
    this.#silences.set(silence.id, silence);
    this.#history.saveSilence(silence);
  }

  #onFailure({ id, severity }: AlertRule, error: Error, isFirst: boolean): void {
    this.#failures++;
    if (this.#bus.has('alert.failed')) this.#bus.emit('alert.failed', { rule: id, severity, error });
    if (isFirst) this.#logger.error({ rule: id, severity, error }, 'a rule could not be evaluated; said once, until it can');
  }
}
