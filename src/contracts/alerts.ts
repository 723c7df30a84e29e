export type Severity = 'info' | 'warning' | 'critical';

/** One alert of one rule for one set of labels. */
export interface AlertInstance {
  readonly fingerprint: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: 'inactive' | 'pending' | 'firing' | 'recovering' | 'nodata' | 'error';
  readonly value: number;
  readonly firedAt?: number;
  readonly resolvedAt?: number;
  readonly suppressedBy: readonly string[];
}

/** A way to a person. */
export interface Notifier {
  readonly name: string;
  notify(group: { readonly status: 'firing' | 'resolved'; readonly alerts: readonly AlertInstance[] }, signal: AbortSignal): Promise<void>;
}

/** A change of an alert's state, as it is kept. */
export interface AlertEvent {
  readonly at: number;
  readonly alert: AlertInstance;
  readonly from: AlertInstance['state'];
}

/** Where alert state survives a restart; both metric stores of a single machine implement it. */
export interface AlertStateStore {
  saveAlert(event: AlertEvent): Promise<void>;
  alerts(range: { readonly from: number; readonly to: number }): Promise<readonly AlertEvent[]>;
}
