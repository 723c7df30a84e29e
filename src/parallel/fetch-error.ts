import { VenueKitError } from '../core/errors.js';

/** The task's deadline passed, queued or running. */
export function deadlineError(doing: string): VenueKitError {
  return new VenueKitError('DEADLINE', `The deadline of the task passed while it ${doing}`);
}

/** The queue is full and its overflow policy refuses. */
export function queueFullError(maxQueue: number): VenueKitError {
  return new VenueKitError('FETCH_QUEUE_FULL', `${maxQueue} tasks wait already (maxQueue); the task was refused`);
}

/** The task was the least urgent of a full queue. */
export function droppedError(maxQueue: number): VenueKitError {
  return new VenueKitError('FETCH_DROPPED', `${maxQueue} tasks wait already (maxQueue); the task was the least urgent and was dropped`);
}

/** Milliseconds that the venue asked to wait, as an error says it. */
export function retryAfterOf(error: Error): number | undefined {
  const ms: unknown = (error as { readonly retryAfterMs?: unknown }).retryAfterMs;
  return typeof ms === 'number' && ms >= 0 && ms < Infinity ? ms : undefined;
}

/** Whether another attempt may help; an error says no by `retryable: false`. */
export function isRetryable(error: Error): boolean {
  return (error as { readonly retryable?: unknown }).retryable !== false;
}
