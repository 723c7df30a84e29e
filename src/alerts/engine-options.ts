import type { MarketCalendar, Notifier } from '../contracts/alerts.js';
import type { MetricStore } from '../contracts/metric-store.js';
import type { Wiring } from '../contracts/wiring.js';
import { requireFunction, requireInteger, requireKnown, requireMethods, requireObject, requirePositive, requireText } from '../core/options.js';
import type { AlertAction } from './actions/action-runner.js';
import type { AnomalyDetector } from './conditions/anomaly-condition.js';
import type { NotifyPolicy } from './notify/notifier-queue.js';
import type { AlertRule } from './rules/rule.js';
import { TOLD } from './state/alert-history.js';

/** What an {@link AlertEngine} is made of. */
export interface AlertEngineOptions extends Wiring {
  /** Where the metrics are. One that is an AlertStateStore too also keeps alerts, silences and the audit of actions. */
  readonly store: MetricStore;
  readonly rules?: readonly AlertRule[];
  readonly notifiers?: readonly Notifier[];
  /** What rules may have done, by name. */
  readonly actions?: Readonly<Record<string, AlertAction>>;
  /** Makes a detector for each series of anomaly rules: `() => new StreamingDetector()`. */
  readonly detector?: () => AnomalyDetector;
  /** When markets are open, for rules with `openMarketForMs`. */
  readonly calendar?: MarketCalendar;
  /** Labels, or `rule` and `severity`, that alerts share which are told together. @defaultValue ['rule'] */
  readonly groupBy?: readonly string[];
  /** What still fires is told again, so often. @defaultValue 4 h */
  readonly repeatMs?: number;
  /** Time limit of one attempt to notify. @defaultValue 10_000 */
  readonly notifyTimeoutMs?: number;
  /** Attempts to notify in a row; then a pause of a minute. @defaultValue 5 */
  readonly notifyAttempts?: number;
  /** Groups that one notifier is handed within a minute; what is above waits and is told together. @defaultValue 30 */
  readonly maxNotificationsPerMinute?: number;
}

const KNOWN = [
  ...['bus', 'clock', 'random', 'logger', 'store', 'rules', 'notifiers', 'actions', 'detector', 'calendar'],
  ...['groupBy', 'repeatMs', 'notifyTimeoutMs', 'notifyAttempts', 'maxNotificationsPerMinute'],
];
const HOUR_MS = 3_600_000;

/** @throws TypeError or RangeError naming the option that can't be meant. */
export function requireEngineOptions(options: AlertEngineOptions): NotifyPolicy {
  requireKnown('AlertEngine', requireObject('options', options), KNOWN);
  requireMethods('store', options.store, ['query']);
  if (options.rules !== undefined && !Array.isArray(options.rules)) throw new TypeError('rules must be a list');
  for (const [name, action] of Object.entries(requireObject('actions', options.actions ?? {}))) {
    requireFunction(`actions.${name}`, action);
    if (name.startsWith(TOLD)) throw new RangeError(`actions must have names that don't begin with "${TOLD}", got "${name}"`);
  }
  if (options.detector !== undefined) requireFunction('detector', options.detector);
  if (options.calendar !== undefined) requireMethods('calendar', options.calendar, ['session']);
  requireNotifiers(options.notifiers ?? []);
  const groupBy = options.groupBy ?? ['rule'];
  for (const [i, name] of groupBy.entries()) requireText(`groupBy[${i}]`, name);
  return {
    groupBy,
    repeatMs: requirePositive('repeatMs', options.repeatMs ?? 4 * HOUR_MS),
    timeoutMs: requirePositive('notifyTimeoutMs', options.notifyTimeoutMs ?? 10_000),
    attempts: requireInteger('notifyAttempts', options.notifyAttempts ?? 5, 1),
    maxPerMinute: requireInteger('maxNotificationsPerMinute', options.maxNotificationsPerMinute ?? 30, 1),
  };
}

function requireNotifiers(notifiers: readonly Notifier[]): void {
  const names = new Set<string>();
  for (const [i, notifier] of notifiers.entries()) {
    requireMethods(`notifiers[${i}]`, notifier, ['notify']);
    const name = requireText(`notifiers[${i}].name`, notifier.name);
    if (notifier.resendMs !== undefined) requirePositive(`notifiers[${i}].resendMs`, notifier.resendMs);
    if (names.has(name)) throw new RangeError(`notifiers must differ in name, got "${name}" twice`);
    names.add(name);
  }
}
