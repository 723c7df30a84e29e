interface Entry<K, V> {
  readonly key: K;
  readonly value: V;
}

// Below so many dead entries it is not worth building the line anew.
const LEAST_SWEEP = 1_024;

/**
 * A map that gives up its oldest entry in constant time. A `Map` whose first key is deleted over and
 * over walks past every key that was deleted before, until it happens to be rebuilt.
 */
export class FifoMap<K, V> {
  readonly #entries = new Map<K, Entry<K, V>>();
  #line: Entry<K, V>[] = [];
  #head = 0;

  get size(): number {
    return this.#entries.size;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Puts it at the end of the line, also where it was in it before. */
  set(key: K, value: V): void {
    const entry = { key, value };
    this.#entries.set(key, entry);
    this.#line.push(entry);
    const dead = this.#line.length - this.#entries.size;
    if (dead > LEAST_SWEEP && dead > this.#entries.size) this.#sweep();
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  keys(): IterableIterator<K> {
    return this.#entries.keys();
  }

  /** Takes the oldest one out. */
  shift(): readonly [K, V] | undefined {
    while (this.#head < this.#line.length) {
      const entry = this.#line[this.#head++] as Entry<K, V>;
      if (this.#entries.get(entry.key) !== entry) continue;
      this.#entries.delete(entry.key);
      return [entry.key, entry.value];
    }
    return undefined;
  }

  #sweep(): void {
    this.#line = this.#line.slice(this.#head).filter((entry) => this.#entries.get(entry.key) === entry);
    this.#head = 0;
  }
}
