/**
 * What has been opened so far, closed in reverse order: every part is closed, also when another
 * part's closing fails. (AsyncDisposableStack, which Node 20 does not have.)
 */
export class Cleanup implements AsyncDisposable {
  readonly #opened: (AsyncDisposable | Disposable)[] = [];
  #closing: Promise<void> | undefined;

  /** Keeps `part` to be closed later, and gives it back. */
  use<T extends AsyncDisposable | Disposable>(part: T): T {
    this.#opened.push(part);
    return part;
  }

  /** @throws the only failure, or an AggregateError of several, once everything has been closed. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const part of this.#opened.reverse()) {
      try {
        if (Symbol.asyncDispose in part) await part[Symbol.asyncDispose]();
        else part[Symbol.dispose]();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, 'Several parts failed to close.');
  }
}
