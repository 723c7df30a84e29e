import { abortable, abortReason } from '../../core/abort.js';
import { asError } from '../../core/errors.js';

/** An attempt that may be given up. */
export interface Stoppable {
  /** An attempt at a read makes one when it is first read, which costs more than everything else that is done for it. */
  readonly signal: AbortSignal;
  /** Says once that it is given up, at once where it is already; absent where only the signal says it. */
  onGivenUp?(listener: (reason: Error) => void): void;
}

/** Why `signal` keeps a request from being sent; undefined where it does not. */
export function stoppedBefore(signal: AbortSignal): { readonly error: Error; readonly facts: { readonly sent: false } } | undefined {
  return signal.aborted ? { error: abortReason(signal), facts: { sent: false } } : undefined;
}

/** Waits for what an SDK does, which takes no signal and goes on, no longer than its attempt lasts. */
export function untilGivenUp<T>(running: Promise<T>, attempt: Stoppable): Promise<T> {
  if (attempt.onGivenUp === undefined) return abortable(running, attempt.signal);
  return new Promise<T>((resolve, reject) => {
    attempt.onGivenUp!((reason) => reject(asError(reason)));
    running.then(resolve, reject);
  });
}
