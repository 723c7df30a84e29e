import { abortReason } from '../../core/abort.js';

/** An attempt that may be given up. */
export interface Stoppable {
  /** An attempt at a read makes one when it is first read, which costs more than everything else that is done for it: not for an SDK that takes none. */
  readonly signal: AbortSignal;
}

/** Why `signal` keeps a request from being sent; undefined where it does not. */
export function stoppedBefore(signal: AbortSignal): { readonly error: Error; readonly facts: { readonly sent: false } } | undefined {
  return signal.aborted ? { error: abortReason(signal), facts: { sent: false } } : undefined;
}
