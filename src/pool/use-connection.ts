import { abortable, onAbort } from '../core/abort.js';
import type { Clock } from '../core/clock.js';
import { VenueKitError } from '../core/errors.js';
import type { ConnectionLease } from './lease.js';

/** What may end the caller's wait while work is under way. */
export interface HoldLimits {
  readonly clock: Clock;
  readonly leftMs: number;
  readonly signal: AbortSignal | undefined;
  /** Aborts when the pool no longer waits. */
  readonly forced: AbortSignal;
}

/**
 * Runs `work` with a leased connection under limits. At a limit the caller is answered at once, while
 * the connection stays held until the work has settled: two callers must never talk over one connection.
 */
export async function holdWhile<T, R>(
  lease: ConnectionLease<T>,
  work: (resource: T, signal: AbortSignal) => Promise<R>,
  { clock, leftMs, signal, forced }: HoldLimits,
): Promise<R> {
  const controller = new AbortController();
  const abort = (reason: Error): void => controller.abort(reason);
  const subscriptions = [onAbort(signal, abort), onAbort(forced, abort)];
  if (leftMs !== Infinity) {
    subscriptions.push(clock.schedule(leftMs, () => abort(new VenueKitError('DEADLINE', 'The deadline passed while the connection was in use'))));
  }
  const running = (async () => work(lease.resource, controller.signal))();
  const settled = (): void => {
    for (const subscription of subscriptions) subscription[Symbol.dispose]();
    lease.release();
  };
  running.then(settled, () => {
    lease.suspect();
    settled();
  });
  return abortable(running, controller.signal);
}
