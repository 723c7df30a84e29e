const MOST = 1_000;

/** Keys of symbols that the venue does not list. Nothing but that answer is ever remembered here. */
export class NegativeMemory {
  readonly #errors = new Map<string, { readonly error: Error; readonly until: number }>();

  remember(key: string, error: Error, until: number): void {
    this.#errors.delete(key);
    this.#errors.set(key, { error, until });
    if (this.#errors.size <= MOST) return;
    for (const oldest of this.#errors.keys()) {
      this.#errors.delete(oldest);
      return;
    }
  }

  /** The venue's answer, while it is remembered. */
  recall(key: string, now: number): Error | undefined {
    if (this.#errors.size === 0) return undefined;
    const known = this.#errors.get(key);
    if (known === undefined) return undefined;
    if (now < known.until) return known.error;
    this.#errors.delete(key);
    return undefined;
  }

  forget(key: string): boolean {
    return this.#errors.delete(key);
  }
}
