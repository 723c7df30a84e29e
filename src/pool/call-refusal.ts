import type { CallOptions } from '../contracts/calls.js';
import { abortReason } from '../core/abort.js';
import { asError } from '../core/errors.js';
import { requireNonNegative } from '../core/options.js';
import { rankOf } from '../resilience/priorities.js';

/** Why a call with such options is refused before it begins, if it is. */
export function callRefusal({ signal, deadlineMs, priority }: CallOptions): Error | undefined {
  try {
    if (deadlineMs !== undefined) requireNonNegative('deadlineMs', deadlineMs);
    if (priority !== undefined) rankOf(priority);
    if (signal?.aborted) return abortReason(signal);
    return undefined;
  } catch (error) {
    return asError(error);
  }
}
