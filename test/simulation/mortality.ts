import type { Attempt, BrokerAdapter, LimitObservation, Verdict } from '../../src/contracts/broker.js';
import type { JournalRecord, OrderJournal, WriterLease } from '../../src/contracts/journal.js';
import type { Clock } from '../../src/core/clock.js';
import type { Random } from '../../src/core/random.js';

/**
 * One life of a process. After its end nothing that it had begun goes on: no timer fires, no answer
 * arrives, no record is written, exactly as after kill -9.
 */
export class Life {
  isOver = false;

  end(): void {
    this.isOver = true;
  }

  /** The promise, as a process sees it that may end meanwhile. */
  bind<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => {
          if (!this.isOver) resolve(value);
        },
        (error: unknown) => {
          if (!this.isOver) reject(error as Error);
        },
      );
    });
  }
}

export function never<T>(): Promise<T> {
  return new Promise(() => {});
}

/** The clock of one life. */
export function mortalClock(clock: Clock, life: Life): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => (life.isOver ? never() : life.bind(clock.sleep(ms, signal))),
    schedule: (ms, task) =>
      clock.schedule(ms, () => {
        if (!life.isOver) task();
      }),
  };
}

/** What may go wrong with a journal, and how often. */
export interface JournalTrouble {
  /** Share of appends at which the process is killed: before, in the middle of, or after the commit. */
  kill: number;
  /** Share of appends that fail, as on a full disk; half of those were written all the same. */
  fail: number;
  /** Share of appends that take long. */
  slow: number;
}

/** The journal as one life sees it; what is durable is told to `onDurable`. */
export function mortalJournal(
  journal: OrderJournal,
  parts: {
    readonly life: Life;
    readonly clock: Clock;
    readonly random: Random;
    readonly trouble: JournalTrouble;
    readonly onDurable: (records: readonly Omit<JournalRecord, 'sequence'>[]) => void;
    readonly onKill: () => void;
    readonly onLease: (epoch: number) => void;
  },
): OrderJournal {
  const { life, clock, random, trouble, onDurable, onKill, onLease } = parts;
  const write = async (records: readonly Omit<JournalRecord, 'sequence'>[]): Promise<void> => {
    if (records.length === 0) return;
    await journal.append(records);
    onDurable(records);
  };
  const kill = <T>(): Promise<T> => {
    life.end();
    onKill();
    return never();
  };
  // One commit after the other, as every journal keeps them.
  let line: Promise<unknown> = Promise.resolve();
  const inLine = <T>(work: () => Promise<T>): Promise<T> => {
    const done = line.then(work);
    line = done.catch(() => {});
    return done;
  };
  const append = async (records: readonly Omit<JournalRecord, 'sequence'>[]): Promise<void> => {
    if (life.isOver) return never();
    if (random() < trouble.slow) await clock.sleep(random() < 0.1 ? random() * 4_000 : random() * 50);
    if (life.isOver) return never();
    if (random() < trouble.kill) {
      const cut = random() < 0.4 ? 0 : random() < 0.5 ? records.length : Math.floor(random() * (records.length + 1));
      await write(records.slice(0, cut));
      return kill();
    }
    if (random() < trouble.fail) {
      if (random() < 0.5) await write(records);
      throw new Error('ENOSPC: no space left on device');
    }
    await write(records);
  };
  return {
    acquire: async (account, owner, ttlMs) => {
      const lease = await journal.acquire(account, owner, ttlMs);
      onLease(lease.epoch);
      return mortalLease(lease, life);
    },
    append: (records) => life.bind(inLine(() => append(records))),
    byIntent: (id) => (life.isOver ? never() : life.bind(journal.byIntent(id))),
    unresolved: (account) => journal.unresolved(account),
    cursor: (account, name) => life.bind(journal.cursor(account, name)),
    setCursor: (account, name, venueMs, epoch) => (life.isOver ? never() : life.bind(journal.setCursor(account, name, venueMs, epoch))),
    compact: (account, before, epoch) => (life.isOver ? never() : life.bind(journal.compact(account, before, epoch))),
    [Symbol.asyncDispose]: async () => {},
  };
}

function mortalLease(lease: WriterLease, life: Life): WriterLease {
  const release = (): Promise<void> => (life.isOver ? never() : lease.release());
  return {
    epoch: lease.epoch,
    lost: lease.lost,
    renew: () => (life.isOver ? never() : life.bind(lease.renew())),
    release,
    [Symbol.asyncDispose]: release,
  };
}

/** How requests of one life reach the venue. */
export interface Wire {
  /** Sees each placement when the client makes it. */
  readonly onPlace: (intent: Parameters<BrokerAdapter['place']>[0], clientOrderId: string, attempt: Attempt) => void;
  readonly onCall: (operation: string) => void;
  /** What the client hears of limits, before it does. */
  readonly onObserved: (seen: LimitObservation) => void;
  /** What becomes of a placement on its way. */
  readonly fate: () =>
    | { readonly kind: 'pass' }
    | { readonly kind: 'kill_before' | 'kill_after' }
    | { readonly kind: 'freeze' | 'deliver_twice'; readonly ms: number };
  readonly onTwice: (clientOrderId: string) => void;
  readonly onKill: () => void;
}

/** The adapter as one life sees it: what it has sent arrives even if it ends. */
export function mortalAdapter(broker: BrokerAdapter, life: Life, clock: Clock, wire: Wire): BrokerAdapter {
  const kill = <T>(): Promise<T> => {
    life.end();
    wire.onKill();
    return never();
  };
  const place: BrokerAdapter['place'] = (intent, clientOrderId, attempt): Promise<Verdict> => {
    if (life.isOver) return never();
    wire.onCall('place');
    wire.onPlace(intent, clientOrderId, attempt);
    const fate = wire.fate();
    // After the end of a life its abort signals mean nothing to the request that is on its way.
    const orphaned: Attempt = { ...attempt, signal: new AbortController().signal };
    switch (fate.kind) {
      case 'kill_before':
        return kill();
      case 'kill_after':
        broker.place(intent, clientOrderId, orphaned).catch(() => {});
        return kill();
      case 'freeze':
        // Stopped between the record and the socket: the process goes on long after another has taken over.
        clock.schedule(fate.ms, () => void broker.place(intent, clientOrderId, orphaned).catch(() => {}));
        return kill();
      case 'deliver_twice':
        wire.onTwice(clientOrderId);
        clock.schedule(fate.ms, () => void broker.place(intent, clientOrderId, orphaned).catch(() => {}));
        return life.bind(broker.place(intent, clientOrderId, attempt));
      case 'pass':
        return life.bind(broker.place(intent, clientOrderId, attempt));
    }
  };
  const call = <T>(operation: string, work: () => Promise<T>): Promise<T> => {
    if (life.isOver) return never();
    wire.onCall(operation);
    return life.bind(work());
  };
  async function* list<T>(operation: string, source: () => AsyncIterable<T>): AsyncIterable<T> {
    const items = await call(operation, async () => {
      const all: T[] = [];
      for await (const item of source()) all.push(item);
      return all;
    });
    yield* items;
  }
  async function* events(
    signal: AbortSignal,
  ): ReturnType<NonNullable<BrokerAdapter['events']>> extends infer E ? (E extends AsyncIterable<infer V> ? AsyncGenerator<V> : never) : never {
    for await (const event of broker.events!(signal)) {
      if (life.isOver) return await never<void>();
      yield event;
    }
  }
  return {
    venue: broker.venue,
    capabilities: broker.capabilities,
    limits: broker.limits,
    cost: (operation) => broker.cost(operation),
    place,
    cancel: (ref, attempt) => call('cancel', () => broker.cancel(ref, attempt)),
    find: (ref, attempt) => call('find', () => broker.find(ref, attempt)),
    openOrders: (attempt) => list('openOrders', () => broker.openOrders(attempt)),
    history: (since, attempt) => list('history', () => broker.history(since, attempt)),
    fills: (since, attempt) => list('fills', () => broker.fills(since, attempt)),
    events,
    serverTime: (attempt) => call('serverTime', () => broker.serverTime!(attempt)),
    observe: (listener) =>
      broker.observe!((seen) => {
        if (life.isOver) return;
        wire.onObserved(seen);
        listener(seen);
      }),
  };
}
