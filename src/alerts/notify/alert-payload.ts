import type { AlertGroup, AlertInstance } from '../../contracts/alerts.js';

/** An alert in the words of Prometheus and Alertmanager. */
export interface PrometheusAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly startsAt: string;
  /** RFC 3339. */
  readonly endsAt: string;
}

/** What Alertmanager sends while an alert has no end. */
const NO_END = '0001-01-01T00:00:00Z';

/** @param endsAt - epoch ms until which it counts as firing, unless it is over. */
export function prometheusAlert(alert: AlertInstance, endsAt?: number): PrometheusAlert {
  const { rule, severity, labels, summary, runbook, value, firedAt = 0, resolvedAt } = alert;
  const end = resolvedAt ?? endsAt;
  return {
    labels: { ...labels, alertname: rule, severity },
    annotations: { ...(summary === undefined ? {} : { summary }), value: String(value), ...(runbook === undefined ? {} : { runbook_url: runbook }) },
    startsAt: new Date(firedAt).toISOString(),
    endsAt: end === undefined ? NO_END : new Date(end).toISOString(),
  };
}

/**
 * The body of Alertmanager's webhook, version 4.
 *
 * Source: prometheus.io/docs/alerting/latest/configuration, webhook_config.
 */
export function webhookPayload({ status, alerts }: AlertGroup, receiver: string): object {
  const all = alerts.map((alert) => ({ status, ...prometheusAlert(alert), generatorURL: '', fingerprint: alert.fingerprint }));
  const rules = [...new Set(alerts.map(({ rule }) => rule))];
  const groupLabels = rules.length === 1 ? { alertname: rules[0] } : {};
  return {
    version: '4',
    groupKey: `{}:${JSON.stringify(groupLabels)}`,
    truncatedAlerts: 0,
    status,
    receiver,
    groupLabels,
    commonLabels: common(all.map(({ labels }) => labels)),
    commonAnnotations: common(all.map(({ annotations }) => annotations)),
    externalURL: '',
    alerts: all,
  };
}

function common(all: readonly Readonly<Record<string, string>>[]): Readonly<Record<string, string>> {
  const [first = {}, ...others] = all;
  return Object.fromEntries(Object.entries(first).filter(([name, value]) => others.every((other) => other[name] === value)));
}
