import type { AlertActionRecord, AlertEvent, AlertInstance, AlertStateStore, AlertTick, Silence } from '../../contracts/alerts.js';
import { asError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { AlertTrack } from './alert-track.js';

/** That a notifier has taken an alert. */
export interface Told {
  readonly notifier: string;
  readonly fingerprint: string;
  readonly firedAt: number;
  readonly at: number;
}

/** What was kept before a restart. */
export interface KeptState {
  /** The latest change of each alert that is not over. */
  readonly open: readonly AlertEvent[];
  readonly silences: readonly Silence[];
  readonly actions: readonly AlertActionRecord[];
  readonly told: readonly Told[];
  readonly tick: AlertTick | undefined;
}

const NOTHING_KEPT: KeptState = { open: [], silences: [], actions: [], told: [], tick: undefined };
/** How the audit names that somebody was told; no action of a host begins so. */
export const TOLD = 'notify:';
const HOUR_MS = 3_600_000;
/** Of the time between evaluations: after a longer gap nobody knows what was in between. */
const LONGEST_GAP = 2;

/**
 * Keeps what must survive a restart, in the order in which it happened. A store that fails stops
 * nothing: it is said once, and what could not be kept is lost with the process.
 */
export class AlertHistory {
  readonly #store: AlertStateStore | undefined;
  readonly #logger: Logger;
  #writing: Promise<void> = Promise.resolve();
  #isFailing = false;

  constructor(store: object, logger: Logger) {
    const candidate = store as Partial<AlertStateStore>;
    const canKeep = typeof candidate.saveAlert === 'function' && typeof candidate.alerts === 'function';
    this.#store = canKeep ? (candidate as AlertStateStore) : undefined;
    this.#logger = logger;
  }

  async read(at: number): Promise<KeptState> {
    const store = this.#store;
    if (store === undefined) return NOTHING_KEPT;
    try {
      const open = (await store.openAlerts?.()) ?? openOf(await store.alerts({ from: 0, to: Number.MAX_SAFE_INTEGER }));
      const raisedSince = Math.min(at - HOUR_MS, ...open.map(({ alert }) => alert.firedAt ?? Infinity));
      const records = (await store.actions?.({ from: raisedSince, to: Number.MAX_SAFE_INTEGER })) ?? [];
      return {
        open,
        silences: (await store.silences?.(at)) ?? [],
        actions: records.filter(({ action }) => !action.startsWith(TOLD)),
        told: records
          .filter(({ action, on }) => action.startsWith(TOLD) && on === 'firing')
          .map(({ action, fingerprint, firedAt, at: toldAt }) => ({ notifier: action.slice(TOLD.length), fingerprint, firedAt, at: toldAt })),
        tick: await store.alertTick?.(),
      };
    } catch (error) {
      this.#failed(error);
      return NOTHING_KEPT;
    }
  }

  saveAlert(event: AlertEvent): void {
    this.#write((store) => store.saveAlert(event));
  }

  saveSilence(silence: Silence): void {
    this.#write((store) => store.saveSilence?.(silence));
  }

  saveAction(record: AlertActionRecord): void {
    this.#write((store) => store.saveAction?.(record));
  }

  /** A notifier has taken alerts: part of the audit, and what keeps a restart from telling them again. */
  saveTold(notifier: string, alerts: readonly AlertInstance[], on: 'firing' | 'resolved', at: number): void {
    for (const { fingerprint, rule, labels, firedAt = at } of alerts)
      this.saveAction({ at, fingerprint, rule, labels, firedAt, action: `${TOLD}${notifier}`, with: {}, on, mode: 'auto', outcome: 'done' });
  }

  saveTick(tick: AlertTick): void {
    this.#write((store) => store.saveAlertTick?.(tick));
  }

  /** Resolves when all that was said so far has been kept, or could not be. */
  settled(): Promise<void> {
    return this.#writing;
  }

  #write(save: (store: AlertStateStore) => Promise<void> | undefined): void {
    const store = this.#store;
    if (store === undefined) return;
    this.#writing = this.#writing.then(async () => {
      try {
        await save(store);
        this.#isFailing = false;
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  #failed(error: unknown): void {
    if (!this.#isFailing) this.#logger.error({ error: asError(error) }, 'the store of alerts fails; a restart would forget what happens now');
    this.#isFailing = true;
  }
}

function openOf(events: readonly AlertEvent[]): readonly AlertEvent[] {
  const latest = new Map(events.map((event) => [event.alert.fingerprint, event]));
  return [...latest.values()].filter(({ alert }) => alert.state !== 'inactive');
}

/**
 * Sets an alert to what was kept of it. One that was pending begins anew where nobody looked for
 * longer than twice the time between two evaluations: its condition may have ended in between.
 * @returns whether it began anew
 */
export function resume(track: AlertTrack, { at: since, alert }: AlertEvent, now: number, tick: AlertTick | undefined, everyMs: number): boolean {
  const looked = Math.max(since, tick?.at ?? since);
  const stepMs = Math.max(everyMs, tick?.stepMs ?? 0);
  const isAnew = alert.state === 'pending' && now - looked > LONGEST_GAP * stepMs;
  track.phase.state = alert.state;
  track.phase.since = isAnew ? now : since;
  track.phase.firedAt = alert.firedAt ?? Number.NaN;
  track.value = alert.value;
  return isAnew;
}
