import type { Logger } from '../core/logger.js';
import { compileQuery, type SampleWindows } from '../query/index.js';
import type { AlertRule } from './rules/rule.js';

/** Says once which metrics of new rules nothing has been seen of: most often, a name is misspelt. */
export class UnknownMetrics {
  readonly #windows: SampleWindows;
  readonly #logger: Logger;
  /** Rules by the metrics that they read, until it has been looked. */
  readonly #watched = new Map<string, Set<string>>();

  constructor(windows: SampleWindows, logger: Logger) {
    this.#windows = windows;
    this.#logger = logger;
  }

  watch(rule: AlertRule): void {
    for (const text of textsOf(rule)) {
      for (const { metric } of compileQuery(text).selectors) {
        const rules = this.#watched.get(metric) ?? new Set();
        this.#watched.set(metric, rules.add(rule.id));
      }
    }
  }

  /** After samples were read for the first time since rules came. */
  tell(): void {
    if (this.#watched.size === 0) return;
    for (const { metric, near } of this.#windows.unknownMetrics()) {
      const rules = this.#watched.get(metric);
      if (rules === undefined) continue;
      const hint = near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`;
      this.#logger.warn({ metric, rules: [...rules], near }, `there is no sample of ${metric} so far, which ${[...rules].join(', ')} reads${hint}`);
    }
    this.#watched.clear();
  }
}

function textsOf(rule: AlertRule): readonly string[] {
  if (rule.type === 'custom') return [];
  return rule.type === 'burn_rate' ? [rule.errors, rule.total] : [rule.expr];
}
