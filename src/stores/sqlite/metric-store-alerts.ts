import type { AlertEvent, AlertInstance } from '../../contracts/alerts.js';
import type { SqliteDatabase, SqliteStatement } from './driver.js';

/** Changes of alerts, as they were. */
export class AlertTable {
  readonly #database: SqliteDatabase;
  readonly #insert: SqliteStatement;
  readonly #range: SqliteStatement;

  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.#insert = database.prepare(
      'INSERT INTO alert_event (t, fingerprint, rule, from_state, to_state, value, labels_json, action_json) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#range = database.prepare('SELECT * FROM alert_event WHERE t >= ? AND t <= ? ORDER BY t, id');
  }

  save({ at, alert, from }: AlertEvent): void {
    const { fingerprint, rule, state, value, labels, ...rest } = alert;
    // NaN has no place in SQLite: it becomes NULL there and NaN again here.
    const stored = Number.isNaN(value) ? null : value;
    this.#database.write(() => this.#insert.run(at, fingerprint, rule, from, state, stored, JSON.stringify(labels), JSON.stringify(rest)));
  }

  within(from: number, to: number): AlertEvent[] {
    const bound = (t: number): number => Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, t));
    return this.#range.all(bound(from), bound(to)).map((row) => ({
      at: Number(row.t),
      from: row.from_state as AlertInstance['state'],
      alert: {
        ...(JSON.parse(String(row.action_json)) as Pick<AlertInstance, 'severity' | 'suppressedBy'>),
        fingerprint: String(row.fingerprint),
        rule: String(row.rule),
        state: row.to_state as AlertInstance['state'],
        value: row.value === null ? Number.NaN : Number(row.value),
        labels: JSON.parse(String(row.labels_json)) as Record<string, string>,
      },
    }));
  }
}
