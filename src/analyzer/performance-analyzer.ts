import type { TimeRange } from '../analytics/index.js';
import type { KitTuning } from '../contracts/kit-tuning.js';
import type { MetricStore } from '../contracts/metric-store.js';
import type { Wiring } from '../contracts/wiring.js';
import { asError } from '../core/errors.js';
import { type Logger, redactingLogger } from '../core/logger.js';
import { requireFunction, requireKnown, requireMethods, requireObject, requirePositive } from '../core/options.js';
import { seededRandom } from '../core/random.js';
import type { Detector, DetectorContext } from './detectors/detector.js';
import { DETECTORS } from './detectors/detectors.js';
import { type ComponentReport, componentReports, DEFAULT_OBJECTIVES, type Objectives } from './measures/components.js';
import { measure } from './measures/measure.js';
import { recordedPart } from './measures/recorded.js';
import { StoreReader } from './measures/store-reader.js';
import { byPlan, type Opportunity, phaseOf, type Target, targetsOf } from './plan/plan.js';
import { presentOptions } from './present-options.js';
import type { Trace } from './trace/trace.js';

/** {@link PerformanceAnalyzer} */
export interface PerformanceAnalyzerOptions extends Wiring {
  readonly store: MetricStore;
  /** Of the same run: what estimates are replayed from, and what some detectors need to see anything. @defaultValue none */
  readonly trace?: Trace;
  /** What was in force, where the trace does not say so. @defaultValue what the trace says, else the defaults */
  readonly tuning?: KitTuning;
  readonly objectives?: Partial<Objectives>;
  /** Of what is drawn in replays: the same data give the same report. @defaultValue 1 */
  readonly seed?: number;
}

export interface PerformanceOptions {
  /** Ends the analysis; what was found until then is given, with `partial`. */
  readonly signal?: AbortSignal;
  /** Called after each detector. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What {@link PerformanceAnalyzer.analyze} gives; plain JSON values. */
export interface PerformanceReport {
  readonly schema: typeof PERFORMANCE_SCHEMA;
  /** Epoch ms of the first and the last record. */
  readonly from: number;
  readonly to: number;
  /** There when the analysis was interrupted: what is missing was not looked at. */
  readonly partial?: true;
  readonly components: readonly ComponentReport[];
  /** In the order of the plan. */
  readonly opportunities: readonly Opportunity[];
  readonly targets: readonly Target[];
  /** Detectors that could not tell, and what they would have needed. */
  readonly undecided: readonly { readonly id: string; readonly why: string }[];
}

export const PERFORMANCE_SCHEMA = 'venuekit.performance-report/1';

/**
 * Says of a run what can be better: measures of six components against objectives, what detectors found with the option to change,
 * and a plan. What a change would bring is not guessed: the trace of the run is run again in virtual time, through the real parts
 * with the changed option, and what comes out is the estimate. Where a trace lacks what that needs, there is none.
 *
 * @example
 * const trace = await readTrace('./data/trace.bin');
 * const report = await new PerformanceAnalyzer({ store, trace }).analyze({ from: trace.from, to: trace.to });
 * for (const { finding, change, estimate } of report.opportunities) console.log(finding, change.option, change.to, estimate?.to);
 */
export class PerformanceAnalyzer {
  readonly #store: MetricStore;
  readonly #trace: Trace | undefined;
  readonly #option: (path: string) => unknown;
  readonly #objectives: Objectives;
  readonly #seed: number;
  readonly #logger: Logger;

  /** @throws RangeError or TypeError naming the option, what it must be, and what it was. */
  constructor(options: PerformanceAnalyzerOptions) {
    requireKnown('PerformanceAnalyzer', requireObject('options', options), [
      ...['bus', 'clock', 'random', 'logger'],
      ...['store', 'trace', 'tuning', 'objectives', 'seed'],
    ]);
    const { store, trace, tuning, objectives = {}, seed = 1 } = options;
    this.#store = requireMethods('store', store, ['query']);
    this.#trace = trace === undefined ? undefined : requireObject('trace', trace);
    this.#option = presentOptions(trace?.tuning ?? tuning);
    requireKnown('objectives', requireObject('objectives', objectives), Object.keys(DEFAULT_OBJECTIVES));
    for (const [name, value] of Object.entries(objectives)) requirePositive(`objectives.${name}`, value);
    this.#objectives = { ...DEFAULT_OBJECTIVES, ...objectives };
    seededRandom(seed); // refuses a seed that is no number
    this.#seed = seed;
    this.#logger = redactingLogger(options.logger);
  }

  /**
   * Analyzes what the store holds of a range, `from` and `to` in epoch ms, inclusive.
   * @throws RangeError on an empty range; AnalyzerError TOO_LITTLE_DATA or FOREIGN_METRICS; what the store throws. It does not reject
   * when the signal aborts: then the result is `partial`.
   */
  async analyze(range: TimeRange, options: PerformanceOptions = {}): Promise<PerformanceReport> {
    requireKnown('analyze', options, ['signal', 'onProgress']);
    const { signal, onProgress } = options;
    if (onProgress !== undefined) requireFunction('onProgress', onProgress);
    const { from, to } = requireObject('range', range);
    if (!Number.isFinite(from)) throw new RangeError(`range.from must be epoch milliseconds, got ${String(from)}`);
    if (!(Number.isFinite(to) && to > from)) throw new RangeError(`range.to must be epoch milliseconds after range.from, got ${String(to)}`);
    const empty = { components: [], opportunities: [], undecided: [] };
    if (signal?.aborted) return this.#report({ from, to }, empty, signal);
    try {
      const part = await recordedPart(this.#store, { from, to }, signal);
      const measured = await measure(new StoreReader(this.#store, part, signal));
      const components = componentReports(measured, this.#objectives);
      const random = seededRandom(this.#seed);
      const context: DetectorContext = { measured, trace: this.#trace, objectives: this.#objectives, random, signal, option: this.#option };
      return this.#report(part, { components, ...(await this.#detect(context, onProgress)) }, signal);
    } catch (error) {
      // The store was interrupted, not broken.
      if (signal?.aborted) return this.#report({ from, to }, empty, signal);
      throw error;
    }
  }

  async #detect(
    context: DetectorContext,
    onProgress: PerformanceOptions['onProgress'],
  ): Promise<Pick<PerformanceReport, 'opportunities' | 'undecided'>> {
    const opportunities: Opportunity[] = [];
    const undecided: { id: string; why: string }[] = [];
    for (const [i, detector] of DETECTORS.entries()) {
      if (context.signal?.aborted) break;
      const found = await this.#run(detector, context);
      if ('undecided' in found) undecided.push({ id: detector.id, why: found.undecided });
      else opportunities.push(...found.opportunities);
      onProgress?.(i + 1, DETECTORS.length);
    }
    return { opportunities: opportunities.sort(byPlan), undecided };
  }

  // One detector that meets what it did not expect must not take the others' findings along.
  async #run(
    detector: Detector,
    context: DetectorContext,
  ): Promise<{ readonly opportunities: readonly Opportunity[] } | { readonly undecided: string }> {
    const { id, component, area, effort } = detector;
    try {
      const detection = await detector.detect(context);
      if ('undecided' in detection) return detection;
      return { opportunities: detection.findings.map((finding) => ({ id, component, area, ...finding, effort, phase: phaseOf(finding, effort) })) };
    } catch (thrown) {
      const error = asError(thrown);
      this.#logger.error({ detector: id, error }, 'a detector failed');
      return { undecided: `it failed: ${error.message}` };
    }
  }

  #report(
    { from, to }: TimeRange,
    found: Pick<PerformanceReport, 'components' | 'opportunities' | 'undecided'>,
    signal: AbortSignal | undefined,
  ): PerformanceReport {
    const targets = targetsOf(found.components, found.opportunities, this.#objectives);
    return { schema: PERFORMANCE_SCHEMA, from, to, ...(signal?.aborted ? { partial: true as const } : {}), ...found, targets };
  }
}
