import type { AlertEvent, AlertInstance } from '../../contracts/alerts.js';
import { labelsInWords, spansOf } from '../charts/alert-timeline.js';
import type { OpenAlert } from './snapshot.js';

/** What a dashboard asks of an alert engine, by shape. */
export interface AlertEngineShape {
  instances(): readonly AlertInstance[];
  silence(silence: {
    readonly match: Readonly<Record<string, string>>;
    readonly until: number;
    readonly by: string;
    readonly comment: string;
  }): string;
}

const RAISED: readonly string[] = ['firing', 'recovering', 'nodata', 'error'];
const RANK = { critical: 0, warning: 1, info: 2 };

/** The alerts that are raised, the worst first; of an engine that runs here. */
export function openOf(instances: readonly AlertInstance[]): readonly OpenAlert[] {
  return sorted(
    instances
      .filter(({ state }) => RAISED.includes(state))
      .map((alert) => ({
        fingerprint: alert.fingerprint,
        rule: alert.rule,
        severity: alert.severity,
        labels: labelsInWords(alert),
        state: alert.state,
        ...(alert.firedAt === undefined ? {} : { since: alert.firedAt }),
        isSuppressed: alert.suppressedBy.length > 0,
      })),
  );
}

/** The same, of what a store has kept. */
export function openIn(events: readonly AlertEvent[]): readonly OpenAlert[] {
  const suppressed = new Map(events.map(({ alert }) => [alert.fingerprint, alert.suppressedBy.length > 0]));
  return sorted(
    spansOf(events)
      .filter(({ to, state }) => to === undefined && RAISED.includes(state))
      .map(({ fingerprint, rule, severity, labels, state, from }) => ({
        fingerprint,
        rule,
        severity,
        labels,
        state,
        since: from,
        isSuppressed: suppressed.get(fingerprint) ?? false,
      })),
  );
}

const sorted = (alerts: readonly OpenAlert[]): readonly OpenAlert[] =>
  [...alerts].sort((a, b) => RANK[a.severity] - RANK[b.severity] || (a.since ?? 0) - (b.since ?? 0) || (a.rule < b.rule ? -1 : 1));
