/**
 * Keeps a process from ending while its worker is inside a call of SQLite: stopping a thread there
 * aborts the whole process. The worker passes the gate for each turn of work, and calls SQLite nowhere else; at the exit of the
 * process the gate is shut, and the exit waits until the worker is outside.
 */
export class ExitGate {
  readonly memory: SharedArrayBuffer;
  readonly #state: Int32Array;
  #depth = 0;

  /** @param memory - of the gate on the other thread; absent: a new gate. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.memory = memory;
    this.#state = new Int32Array(memory);
  }

  /** The worker's side: runs `work` inside the gate; never returns once the gate is shut. */
  readonly turn = <T>(work: () => T): T => {
    this.#enter();
    try {
      return work();
    } finally {
      this.#leave();
    }
  };

  /** As {@link turn}, for the opening of a database, which is not done at once. */
  readonly phase = async <T>(work: () => Promise<T>): Promise<T> => {
    this.#enter();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  };

  /** The owner's side: shuts the gate and waits, blocking, until nobody is inside. */
  shut(timeoutMs = 5_000): void {
    Atomics.store(this.#state, SHUT, 1);
    if (Atomics.load(this.#state, INSIDE) === 1) Atomics.wait(this.#state, INSIDE, 1, timeoutMs);
  }

  #enter(): void {
    if (this.#depth++ > 0) return;
    Atomics.store(this.#state, INSIDE, 1);
    if (Atomics.load(this.#state, SHUT) === 0) return;
    this.#leave();
    Atomics.wait(this.#state, SHUT, 1);
  }

  #leave(): void {
    if (--this.#depth > 0) return;
    Atomics.store(this.#state, INSIDE, 0);
    Atomics.notify(this.#state, INSIDE);
  }
}

const SHUT = 0;
const INSIDE = 1;
