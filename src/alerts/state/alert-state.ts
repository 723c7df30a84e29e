import type { AlertState } from '../../contracts/alerts.js';

/** What an evaluation found: nothing to tell, or something to be raised as `firing`, `nodata` or `error`. */
export type Finding = 'calm' | 'firing' | 'nodata' | 'error';

/** How long until an alert is raised, and until it is over. */
export interface Delays {
  readonly forMs: number;
  readonly keepFiringForMs: number;
}

/** The part of an alert that its next state depends on, and nothing else: what is kept of it survives a restart. */
export interface AlertPhase {
  state: AlertState;
  /** When the condition began to hold (pending), or ended (recovering); epoch ms. */
  since: number;
  /** When it was raised, this time or the last; NaN before the first. */
  firedAt: number;
  /** When it was over; NaN while it is not. */
  resolvedAt: number;
}

export function isRaised(state: AlertState): boolean {
  return state === 'firing' || state === 'recovering' || state === 'nodata' || state === 'error';
}

/**
 * Takes an alert one evaluation further; allocates nothing.
 *
 *     inactive → pending → firing | nodata | error → recovering → inactive
 *
 * @returns whether the state changed
 *
 * Source: the states and delays are those of Prometheus' alerting rules (`for`, `keep_firing_for`).
 */
export function advance(phase: AlertPhase, finding: Finding, at: number, { forMs, keepFiringForMs }: Delays): boolean {
  const before = phase.state;
  if (finding === 'calm') {
    if (before === 'pending') phase.state = 'inactive';
    else if (before === 'recovering') {
      if (at - phase.since >= keepFiringForMs) resolve(phase, at);
    } else if (before !== 'inactive') {
      phase.since = at;
      if (keepFiringForMs > 0) phase.state = 'recovering';
      else resolve(phase, at);
    }
    return phase.state !== before;
  }
  if (before === 'inactive') {
    phase.state = 'pending';
    phase.since = at;
    // Those of an earlier time are not this one's.
    phase.firedAt = Number.NaN;
    phase.resolvedAt = Number.NaN;
  }
  if (phase.state !== 'pending') phase.state = finding;
  else if (at - phase.since >= forMs) {
    phase.state = finding;
    phase.firedAt = at;
    phase.resolvedAt = Number.NaN;
  }
  return phase.state !== before;
}

function resolve(phase: AlertPhase, at: number): void {
  phase.state = 'inactive';
  phase.resolvedAt = at;
}
