import type { CacheEntry, CacheStore } from '../contracts/cache-store.js';

type Listener = Parameters<NonNullable<CacheStore['watch']>>[0];

/** Those who want to know when an entry leaves a store: several clients may share one. */
export class StoreWatchers {
  #listeners: readonly Listener[] = [];

  get any(): boolean {
    return this.#listeners.length > 0;
  }

  add(listener: Listener): Disposable {
    this.#listeners = [...this.#listeners, listener];
    return {
      [Symbol.dispose]: () => {
        this.#listeners = this.#listeners.filter((other) => other !== listener);
      },
    };
  }

  tell(key: string, entry: CacheEntry, why: 'evicted' | 'replaced' | 'deleted'): void {
    for (const listener of this.#listeners) listener(key, entry, why);
  }
}
