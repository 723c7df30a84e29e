import { type PreparedQuery, parseQuery, type QueryVector, type SampleWindows } from '../../query/index.js';
import type { AbsentRule } from '../rules/rule.js';
import type { Labels } from '../state/labels.js';
import type { Condition, Readings } from './condition.js';
import { countedOver } from './rewrite.js';
import { SlotTable } from './slot-table.js';

/** How much longer than `olderThanMs` a series is looked back for: after a restart it is still known to be missing. */
const KNOWN_MS = 600_000;
const MISSING = 1;
const THERE = 0;
const ASKED_FOR = 0;

/**
 * Series without a sample within a time. A series that was seen once is missed until it comes back;
 * where there never was one, the labels that the expression asks for are missed. Nothing is missed anew before it
 * has been waited for that long: what a bot that has just started records can't have come yet.
 */
export class AbsentCondition implements Condition {
  readonly #recent: PreparedQuery;
  readonly #known: PreparedQuery;
  readonly #table = new SlotTable();
  /** Slots of the table, by slot of the recent ones. */
  #recentSlots: Int32Array = new Int32Array(0);
  #recentVersion = Number.NaN;
  #knownVersion = Number.NaN;
  #isAskedReal = false;
  readonly #olderThanMs: number;
  #awaitedSince: number;
  #isAwaited = true;

  /** @param since - from when on samples could come, epoch ms */
  constructor(windows: SampleWindows, { expr, olderThanMs }: Pick<AbsentRule, 'expr' | 'olderThanMs'>, everyMs: number, since: number) {
    this.#olderThanMs = olderThanMs;
    this.#awaitedSince = since;
    this.#recent = windows.prepare(countedOver(expr, olderThanMs, everyMs));
    this.#known = windows.prepare(countedOver(expr, olderThanMs + KNOWN_MS, everyMs));
    this.#table.slotOf(labelsAskedFor(expr));
  }

  read(at: number): Readings {
    // A clock that is set back must not make it wait for the time by which it was.
    this.#awaitedSince = Math.min(this.#awaitedSince, at);
    this.#isAwaited = at - this.#awaitedSince < this.#olderThanMs;
    const table = this.#table;
    const known = this.#known.evaluate(at);
    const recent = this.#recent.evaluate(at);
    if (known.version !== this.#knownVersion || recent.version !== this.#recentVersion) {
      this.#knownVersion = known.version;
      this.#recentVersion = recent.version;
      this.#slotsOf(known);
      this.#recentSlots = this.#slotsOf(recent);
    }
    const { slots, present, values } = table;
    present.fill(1, 0, slots.length);
    values.fill(MISSING, 0, slots.length);
    if (!this.#isAskedReal && slots.length > 1) values[ASKED_FOR] = THERE;
    for (let slot = 0; slot < recent.slots.length; slot++) if (recent.present[slot] === 1) values[this.#recentSlots[slot] as number] = THERE;
    return table;
  }

  /** What was raised before a restart stays so until it is back. */
  holds(slot: number, isRaised: boolean): boolean {
    return this.#table.values[slot] === MISSING && (isRaised || !this.#isAwaited);
  }

  release(): void {
    this.#recent.release();
    this.#known.release();
  }

  #slotsOf({ slots, present }: QueryVector): Int32Array {
    return Int32Array.from(slots, ({ labels }, i) => {
      const slot = this.#table.slotOf(labels);
      if (slot === ASKED_FOR && present[i] === 1) this.#isAskedReal = true;
      return slot;
    });
  }
}

/** As Prometheus' `absent` labels what it misses. */
export function labelsAskedFor(expr: string): Labels {
  const parsed = parseQuery(expr);
  if (parsed.kind !== 'selector') return {};
  return Object.fromEntries(parsed.matchers.filter(({ op }) => op === '=').map(({ label, value }) => [label, value]));
}
