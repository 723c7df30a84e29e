/**
 * Resolves in a later turn of the event loop: what waits there (timers, sockets, other callers) is
 * served first. Unlike an awaited promise, which goes before all of them.
 *
 * No time passes in it, and no clock is asked: long work in slices yields with this, also under a
 * clock that stands still.
 */
export function nextMacrotask(): Promise<void> {
  return new Promise((resolve) => {
    // A channel for each turn: Node empties a channel's queue in one go, so that on a shared one the
    // next slice would run before anything else is served.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** Runs `task` once what has come in by now, over all connections, has been worked on. */
export const afterInput: (task: () => void) => void =
  typeof setImmediate === 'function' ? (task) => void setImmediate(task) : (task) => void nextMacrotask().then(task);
