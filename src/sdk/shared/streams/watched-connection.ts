import type { Clock } from '../../../core/clock.js';

/** A socket of the package ws, as SDKs hold it. */
export interface WatchedConnection {
  readonly readyState: number;
  ping(): void;
  terminate(): void;
  on(event: 'pong', listener: () => void): unknown;
}

const OPEN = 1;
const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;

/** Ends a connection that no longer answers: a dead one is as silent as a quiet account. */
export function watchConnection(connection: WatchedConnection, clock: Clock, closing: AbortSignal): Disposable {
  let timer: Disposable;
  let patience: Disposable | undefined;
  connection.on('pong', () => patience?.[Symbol.dispose]());
  const ping = (): void => {
    if (connection.readyState !== OPEN || closing.aborted) return;
    connection.ping();
    patience = clock.schedule(PONG_WITHIN_MS, () => connection.terminate());
    timer = clock.schedule(PING_EVERY_MS, ping);
  };
  timer = clock.schedule(PING_EVERY_MS, ping);
  return {
    [Symbol.dispose]: () => {
      timer[Symbol.dispose]();
      patience?.[Symbol.dispose]();
    },
  };
}
