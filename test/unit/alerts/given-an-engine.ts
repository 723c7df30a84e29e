import { AlertEngine, type AlertEngineOptions } from '../../../src/alerts/index.js';
import type { AlertInstance, AlertState, AlertStateStore } from '../../../src/contracts/alerts.js';
import { EventBus } from '../../../src/contracts/events.js';
import type { MetricStore } from '../../../src/contracts/metric-store.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { MemoryMetricStore } from '../../../src/stores/memory/memory-metric-store.js';

export const T0 = 1_704_067_200_000;

/** `{ 'x{op=place}': 1 }` as a tick of a store. */
export function tickOf(t: number, points: Readonly<Record<string, number>>) {
  const series = Object.keys(points).map((text) => {
    const [name = '', labels = ''] = text.replace('}', '').split('{');
    const pairs = labels
      .split(',')
      .filter(Boolean)
      .map((pair) => pair.split('='));
    return { name, labels: Object.fromEntries(pairs) as Record<string, string> };
  });
  return { t, series, values: Float64Array.from(Object.values(points)) };
}

/** What an engine said of itself. */
export class RecordingLogger {
  readonly lines: { readonly level: string; readonly facts: object; readonly message: string | undefined }[] = [];
  readonly debug = this.#at('debug');
  readonly info = this.#at('info');
  readonly warn = this.#at('warn');
  readonly error = this.#at('error');

  #at(level: string) {
    return (facts: object, message?: string): void => void this.lines.push({ level, facts, message });
  }
}

/** An engine over a store of its own, in virtual time, that records what it says. */
export function givenAnEngine(options: Partial<AlertEngineOptions> & { readonly store?: MetricStore & AlertStateStore } = {}) {
  const clock = (options.clock as ManualClock | undefined) ?? new ManualClock(T0);
  const store = options.store ?? new MemoryMetricStore();
  const bus = new EventBus();
  const logger = new RecordingLogger();
  const changes: { readonly at: number; readonly rule: string; readonly from: AlertState; readonly to: AlertState; readonly alert: AlertInstance }[] =
    [];
  bus.on('alert', ({ alert, from }) => changes.push({ at: (clock.now() - T0) / 1000, rule: alert.rule, from, to: alert.state, alert }));
  const engine = new AlertEngine({ random: seededRandom(1), logger, bus, clock, ...options, store });
  /** Stores points (absent: none), then ticks, one second later than the time before. */
  const second = async (points?: Readonly<Record<string, number>>): Promise<void> => {
    await clock.advance(1_000);
    if (points !== undefined) await store.append(tickOf(clock.now(), points));
    await engine.tick(clock.now());
  };
  const states = (): readonly string[] => changes.map(({ at, to }) => `${at} ${to}`);
  const stateOf = (rule: string): AlertState | undefined => engine.instances().find((alert) => alert.rule === rule)?.state;
  return { clock, store, bus, logger, engine, changes, second, states, stateOf };
}

/** Lets everything that is queued behind a tick run. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
