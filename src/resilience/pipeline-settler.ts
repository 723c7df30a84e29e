/** What hears of the end of a promise. */
interface Settled<T> {
  succeeded(value: T): void;
  failed(thrown: unknown): void;
}

const MOST_IDLE = 1024;
const idle: Settler[] = [];

/**
 * A pair of callbacks that goes from promise to promise, so that none is made per call. It is free
 * again once its promise has settled, which a native promise does once.
 */
class Settler {
  waiting: Settled<unknown> | undefined;
  readonly onValue = (value: unknown): void => this.#free()?.succeeded(value);
  readonly onError = (thrown: unknown): void => this.#free()?.failed(thrown);

  #free(): Settled<unknown> | undefined {
    const { waiting } = this;
    this.waiting = undefined;
    if (idle.length < MOST_IDLE) idle.push(this);
    return waiting;
  }
}

/** Tells `settled` how `answer` ends. */
export function settleOnce<T>(answer: PromiseLike<T>, settled: Settled<T>): void {
  const settler = idle.pop() ?? new Settler();
  settler.waiting = settled;
  // Promise.resolve gives a native promise as it is, and wraps what only looks like one and might call back twice.
  void Promise.resolve(answer).then(settler.onValue, settler.onError);
}
