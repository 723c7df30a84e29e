import type { AlertInstance, Severity } from '../../contracts/alerts.js';
import type { Instrumentation } from '../instrumentation.js';

const SEVERITIES: readonly Severity[] = ['info', 'warning', 'critical'];
const RAISED: readonly AlertInstance['state'][] = ['firing', 'recovering', 'nodata', 'error'];

/** Alerts: how many are raised, how they change, and what their actions did. */
export function alertMetrics({ metrics, on }: Instrumentation): void {
  const raised = metrics.gauge({
    name: 'venuekit_alerts_raised',
    help: 'Alerts that are raised: firing, recovering, without data or in error, by severity.',
    labels: ['severity'],
  });
  const transitions = metrics.counter({
    name: 'venuekit_alert_transitions_total',
    help: 'Changes of alerts, by rule and the state entered.',
    labels: ['rule', 'state'],
  });
  const actions = metrics.counter({
    name: 'venuekit_alert_actions_total',
    help: 'Actions of alerts, by what they did and whether it worked.',
    labels: ['action', 'mode', 'ok'],
  });
  const notifications = metrics.counter({
    name: 'venuekit_alert_notifications_total',
    help: 'Groups of alerts handed to a notifier, by whether they arrived.',
    labels: ['notifier', 'status', 'ok'],
  });
  const notificationRetries = metrics.counter({
    name: 'venuekit_alert_notification_retries_total',
    help: 'Attempts to notify that were not the first.',
    labels: ['notifier'],
  });
  const notificationSeconds = metrics.histogram({
    name: 'venuekit_alert_notification_seconds',
    help: 'Until a notifier had taken a group of alerts, or failed for good.',
    unit: 'seconds',
    labels: ['notifier'],
  });
  const evaluated = metrics.counter({ name: 'venuekit_alert_rules_evaluated_total', help: 'Evaluations of rules.' });
  const evaluationSeconds = metrics.histogram({
    name: 'venuekit_alert_evaluation_seconds',
    help: 'How long a tick of the alerts took, all rules together.',
    unit: 'seconds',
  });
  const failures = metrics.counter({
    name: 'venuekit_alert_evaluation_failures_total',
    help: 'Evaluations of rules that failed, by rule.',
    labels: ['rule'],
  });
  for (const severity of SEVERITIES) raised.with({ severity });
  const active = new Map<string, Severity>();
  on('alert', ({ alert }) => {
    const { fingerprint, severity, state, rule } = alert;
    transitions.with({ rule, state }).inc();
    const before = active.get(fingerprint);
    const isRaised = RAISED.includes(state);
    if (before !== undefined && (!isRaised || before !== severity)) {
      active.delete(fingerprint);
      raised.with({ severity: before }).add(-1);
    }
    if (!isRaised || active.has(fingerprint)) return;
    active.set(fingerprint, severity);
    raised.with({ severity }).add(1);
  });
  on('alert.action', ({ action, mode, ok }) => {
    // Both outcomes are there with the first: a failure is then a rise.
    actions.with({ action, mode, ok: 'false' }).inc(ok ? 0 : 1);
    actions.with({ action, mode, ok: 'true' }).inc(ok ? 1 : 0);
  });
  on('alert.evaluated', ({ rules, ms }) => {
    evaluated.inc(rules);
    evaluationSeconds.observe(ms / 1000);
  });
  on('alert.failed', ({ rule }) => failures.with({ rule }).inc());
  on('alert.notification', ({ notifier, status, attempts, ms, ok }) => {
    notifications.with({ notifier, status, ok: 'false' }).inc(ok ? 0 : 1);
    notifications.with({ notifier, status, ok: 'true' }).inc(ok ? 1 : 0);
    notificationRetries.with({ notifier }).inc(Math.max(0, attempts - 1));
    notificationSeconds.with({ notifier }).observe(ms / 1000);
  });
}
