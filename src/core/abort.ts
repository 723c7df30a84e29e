import { asError, VenueKitError } from './errors.js';

/** What to reject with when `signal` has aborted: its reason, made an Error where it is none. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new VenueKitError('ABORTED', `Aborted: ${String(reason)}`, { cause: reason });
}

/** @throws the signal's reason when it has aborted already. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortReason(signal);
}

const NOTHING: Disposable = { [Symbol.dispose]: () => {} };

/** Runs `task` when `signal` aborts (at once where it has); disposing removes the listener. */
export function onAbort(signal: AbortSignal | undefined, task: (reason: Error) => void): Disposable {
  if (signal === undefined) return NOTHING;
  const listener = (): void => task(abortReason(signal));
  if (signal.aborted) {
    listener();
    return NOTHING;
  }
  signal.addEventListener('abort', listener, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', listener) };
}

/**
 * Waits for `promise`, but no longer than `signal` allows. The promise itself goes on: aborting the
 * wait of one caller must not end what others share. Its late rejection is swallowed.
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  if (signal.aborted) {
    promise.catch(() => {});
    return Promise.reject(abortReason(signal));
  }
  return new Promise<T>((resolve, reject) => {
    const subscription = onAbort(signal, reject);
    promise.then(
      (value) => {
        subscription[Symbol.dispose]();
        resolve(value);
      },
      (error: unknown) => {
        subscription[Symbol.dispose]();
        reject(asError(error));
      },
    );
  });
}
