import type { PerformanceReport } from '../../analyzer/index.js';
import type { JournalRecord } from '../../contracts/journal.js';
import type { MetricStore } from '../../contracts/metric-store.js';

/** What a run has left: its metrics, and the journal of its orders where there is one. */
export interface RunRecord {
  readonly store: MetricStore;
  /** Of the same run, such as a `SqliteOrderJournal` that is opened `readOnly`. */
  readonly journal?: RecordedJournal;
}

/** What of a journal is read. */
export interface RecordedJournal {
  /** The records of each intent, oldest first. */
  intents(): AsyncIterable<readonly JournalRecord[]>;
  /** What is damaged, in words. */
  integrity(): Promise<readonly string[]>;
}

/** What the checks of a record look at. */
export interface RecordContext extends RunRecord {
  /** Measures and verdicts of the six components. */
  readonly performance: PerformanceReport;
  readonly signal: AbortSignal | undefined;
}

export function measureOf({ performance }: RecordContext, component: string, measure: string): number | undefined {
  return performance.components.find(({ name }) => name === component)?.measures[measure];
}

/** What a counter came to in each life of the process, added up, and over its series; undefined where there is none. */
export async function countOf(
  { store, performance, signal }: RecordContext,
  metric: string,
  match?: Readonly<Record<string, string>>,
): Promise<number | undefined> {
  const { from, to } = performance;
  const series = await store.query({ metric, from, to, ...(match === undefined ? {} : { match }) }, signal);
  if (series.length === 0) return undefined;
  return series.reduce((sum, { v }) => sum + overResets(v), 0);
}

/** A counter that falls has begun anew. */
function overResets(values: Float64Array): number {
  let [sum, last] = [0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < last) sum += last;
    last = value;
  }
  return sum + last;
}
