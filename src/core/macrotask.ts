let waiting: (() => void)[] = [];
let channel: MessageChannel | undefined;

/**
 * Resolves in the next turn of the event loop: what waits there (timers, sockets, other callers) is
 * served first. Unlike an awaited promise, which goes before all of them.
 *
 * No time passes in it, and no clock is asked: long work in slices yields with this, also under a
 * clock that stands still.
 */
export function nextMacrotask(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) > 1) return;
    // One channel for all: making one costs ten times as much as a turn. It keeps the process alive only while somebody waits.
    channel ??= open();
    keepAlive(channel.port1, true);
    channel.port2.postMessage(undefined);
  });
}

function open(): MessageChannel {
  const made = new MessageChannel();
  made.port1.onmessage = () => {
    const served = waiting;
    waiting = [];
    keepAlive(made.port1, false);
    for (const resolve of served) resolve();
  };
  return made;
}

// Only Node's ports can keep a process alive.
function keepAlive(port: MessagePort, keep: boolean): void {
  const { ref, unref } = port as Partial<Record<'ref' | 'unref', () => void>>;
  (keep ? ref : unref)?.call(port);
}
