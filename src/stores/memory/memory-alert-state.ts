import type { AlertActionRecord, AlertEvent, AlertStateStore, AlertTick, Silence } from '../../contracts/alerts.js';

/** Alerts, silences and the audit of actions, in this process and bounded. */
export class MemoryAlertState implements Required<AlertStateStore> {
  readonly #most: number;
  readonly #events: AlertEvent[] = [];
  readonly #open = new Map<string, AlertEvent>();
  readonly #actions: AlertActionRecord[] = [];
  readonly #silences = new Map<string, Silence>();
  #tick: AlertTick | undefined;

  /** @param most - events, and records of actions, that are held; the oldest go first. What is not over is never forgotten. */
  constructor(most: number) {
    this.#most = most;
  }

  async saveAlert(event: AlertEvent): Promise<void> {
    const copy = structuredClone(event);
    this.#events.push(copy);
    if (this.#events.length > this.#most) this.#events.shift();
    this.#open.delete(copy.alert.fingerprint);
    if (copy.alert.state !== 'inactive') this.#open.set(copy.alert.fingerprint, copy);
  }

  async alerts({ from, to }: { readonly from: number; readonly to: number }): Promise<readonly AlertEvent[]> {
    return this.#events.filter(({ at }) => at >= from && at <= to).sort((a, b) => a.at - b.at);
  }

  async openAlerts(): Promise<readonly AlertEvent[]> {
    return [...this.#open.values()];
  }

  async saveAction(record: AlertActionRecord): Promise<void> {
    this.#actions.push(structuredClone(record));
    if (this.#actions.length > this.#most) this.#actions.shift();
  }

  async actions({ from, to }: { readonly from: number; readonly to: number }): Promise<readonly AlertActionRecord[]> {
    return this.#actions.filter(({ at }) => at >= from && at <= to).sort((a, b) => a.at - b.at);
  }

  async saveSilence(silence: Silence): Promise<void> {
    this.#silences.set(silence.id, structuredClone(silence));
  }

  async silences(after: number): Promise<readonly Silence[]> {
    for (const { id, until } of this.#silences.values()) if (until <= after) this.#silences.delete(id);
    return [...this.#silences.values()];
  }

  async saveAlertTick(tick: AlertTick): Promise<void> {
    this.#tick = { ...tick };
  }

  async alertTick(): Promise<AlertTick | undefined> {
    return this.#tick;
  }

  clear(): void {
    this.#events.length = 0;
    this.#actions.length = 0;
    this.#open.clear();
    this.#silences.clear();
    this.#tick = undefined;
  }
}
