import type { AlertEvent, AlertTick } from '../contracts/alerts.js';
import { RuleRunner, type RunnerParts } from './rule-runner.js';
import { requireNoCycle } from './rules/inhibition-graph.js';
import { type AlertRule, ruleName } from './rules/rule.js';
import { RuleError } from './rules/rule-error.js';
import { resume } from './state/alert-history.js';
import type { AlertTrack } from './state/alert-track.js';

/** The rules of an engine, each with what runs it. */
export class RuleSet {
  readonly #parts: RunnerParts;
  readonly #runners = new Map<string, RuleRunner>();
  /** Kept alerts of rules that have not been added, by rule. */
  readonly #kept = new Map<string, AlertEvent[]>();
  #keptTick: AlertTick | undefined;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  get runners(): IterableIterator<RuleRunner> {
    return this.#runners.values();
  }

  get size(): number {
    return this.#runners.size;
  }

  get rules(): readonly AlertRule[] {
    return [...this.#runners.values()].map(({ rule }) => rule);
  }

  /**
   * Adds all rules, or none.
   * @throws RuleError where one is there already, or they inhibit each other in a circle
   */
  add(rules: readonly AlertRule[]): void {
    const names = new Set(this.#runners.keys());
    for (const [i, rule] of rules.entries()) {
      const name = ruleName(rule);
      if (names.has(name))
        throw new RuleError([{ path: `rules[${i}].id`, message: `must not be that of another rule of the same severity: ${name} is there already` }]);
      names.add(name);
    }
    requireNoCycle([...this.rules, ...rules]);
    const made = rules.map((rule) => new RuleRunner(rule, this.#parts));
    for (const runner of made) this.#runners.set(ruleName(runner.rule), runner);
  }

  /** Alerts as they were before a restart; they are taken up with the first evaluation of their rules. */
  keep(events: readonly AlertEvent[], tick: AlertTick | undefined): void {
    this.#keptTick = tick;
    for (const event of events) {
      const name = ruleName({ id: event.alert.rule, severity: event.alert.severity });
      this.#kept.set(name, [...(this.#kept.get(name) ?? []), event]);
    }
  }

  /** Gives kept alerts to the rules that are there now. */
  takeUpKept(at: number, onTakenUp: (track: AlertTrack, isAnew: boolean) => void): void {
    for (const [name, events] of this.#kept) {
      const runner = this.#runners.get(name);
      if (runner === undefined) continue;
      this.#kept.delete(name);
      for (const event of events) {
        const track = runner.trackOf(event.alert.labels);
        onTakenUp(track, resume(track, event, at, this.#keptTick, runner.everyMs));
      }
    }
  }

  *raised(): Generator<AlertTrack> {
    for (const runner of this.#runners.values()) for (const track of runner.tracks) if (track.isRaised) yield track;
  }

  release(): void {
    for (const runner of this.#runners.values()) runner.release();
  }
}
