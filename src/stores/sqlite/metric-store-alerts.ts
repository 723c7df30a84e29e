import type { AlertActionRecord, AlertEvent, AlertInstance, AlertTick, Silence } from '../../contracts/alerts.js';
import type { SqliteDatabase, SqliteRow, SqliteStatement } from './driver.js';

/** What the table is asked beside events; one message of the store's thread. */
export type AlertStateCall =
  | { readonly do: 'openAlerts' }
  | { readonly do: 'saveAction'; readonly record: AlertActionRecord }
  | { readonly do: 'actions'; readonly from: number; readonly to: number }
  | { readonly do: 'saveSilence'; readonly silence: Silence }
  | { readonly do: 'silences'; readonly after: number }
  | { readonly do: 'saveTick'; readonly tick: AlertTick }
  | { readonly do: 'tick' };

/** Changes of alerts, as they were; what was done about them, and who is not to be told. */
export class AlertTable {
  readonly #database: SqliteDatabase;
  readonly #insert: SqliteStatement;
  readonly #range: SqliteStatement;
  readonly #open: SqliteStatement;
  readonly #insertAction: SqliteStatement;
  readonly #actions: SqliteStatement;
  readonly #putSilence: SqliteStatement;
  readonly #silences: SqliteStatement;
  readonly #putTick: SqliteStatement;
  readonly #tick: SqliteStatement;

  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.#insert = database.prepare(
      'INSERT INTO alert_event (t, fingerprint, rule, from_state, to_state, value, labels_json, action_json) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#range = database.prepare('SELECT * FROM alert_event WHERE t >= ? AND t <= ? ORDER BY t, id');
    this.#open = database.prepare(
      "SELECT * FROM alert_event WHERE id IN (SELECT max(id) FROM alert_event GROUP BY fingerprint) AND to_state <> 'inactive' ORDER BY t, id",
    );
    this.#insertAction = database.prepare('INSERT INTO alert_action (t, fingerprint, rule, action, outcome, record_json) VALUES (?, ?, ?, ?, ?, ?)');
    this.#actions = database.prepare('SELECT record_json FROM alert_action WHERE t >= ? AND t <= ? ORDER BY t, id');
    this.#putSilence = database.prepare('INSERT OR REPLACE INTO alert_silence (id, until, silence_json) VALUES (?, ?, ?)');
    this.#silences = database.prepare('SELECT silence_json FROM alert_silence WHERE until > ? ORDER BY id');
    this.#putTick = database.prepare("INSERT OR REPLACE INTO mark (name, t) VALUES ('alert_tick', ?), ('alert_step', ?)");
    this.#tick = database.prepare(
      "SELECT (SELECT t FROM mark WHERE name = 'alert_tick') AS at, (SELECT t FROM mark WHERE name = 'alert_step') AS step",
    );
  }

  answer(call: AlertStateCall): unknown {
    switch (call.do) {
      case 'openAlerts':
        return this.#open.all().map(eventOf);
      case 'saveAction': {
        const { at, fingerprint, rule, action, outcome } = call.record;
        this.#database.write(() => this.#insertAction.run(at, fingerprint, rule, action, outcome, JSON.stringify(call.record)));
        return undefined;
      }
      case 'actions':
        return this.#actions.all(bound(call.from), bound(call.to)).map((row) => JSON.parse(String(row.record_json)) as AlertActionRecord);
      case 'saveSilence': {
        const { id, until } = call.silence;
        this.#database.write(() => this.#putSilence.run(id, Math.ceil(bound(until)), JSON.stringify(call.silence)));
        return undefined;
      }
      case 'silences':
        return this.#silences.all(bound(call.after)).map((row) => JSON.parse(String(row.silence_json)) as Silence);
      case 'saveTick':
        this.#database.write(() => this.#putTick.run(Math.round(call.tick.at), Math.round(call.tick.stepMs)));
        return undefined;
      case 'tick': {
        const { at, step } = this.#tick.get() ?? {};
        return Number(at) > 0 ? { at: Number(at), stepMs: Number(step) } : undefined;
      }
    }
  }

  save({ at, alert, from }: AlertEvent): void {
    const { fingerprint, rule, state, value, labels, ...rest } = alert;
    // NaN has no place in SQLite: it becomes NULL there and NaN again here.
    const stored = Number.isNaN(value) ? null : value;
    this.#database.write(() => this.#insert.run(at, fingerprint, rule, from, state, stored, JSON.stringify(labels), JSON.stringify(rest)));
  }

  within(from: number, to: number): AlertEvent[] {
    return this.#range.all(bound(from), bound(to)).map(eventOf);
  }
}

function bound(t: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, t));
}

function eventOf(row: SqliteRow): AlertEvent {
  return {
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
  };
}
