import { createHash } from 'node:crypto';
import { ok } from '../served/wire-reply.js';
import type { VenueCore } from '../venue/venue-core.js';
import type { Endpoint } from './endpoint.js';
import { failure, missing } from './wire-reply.js';

const VALID_MS = 3_600_000;

/** The older way to user data: a key that is fetched over REST, named in the stream's address, and kept alive. */
export class ListenKeys {
  readonly #core: VenueCore;
  readonly #account: string;
  #key: string | undefined;
  #expiresAt = -Infinity;
  #made = 0;
  readonly #onEnded = new Map<string, Set<() => void>>();

  constructor(core: VenueCore, account: string) {
    this.#core = core;
    this.#account = account;
  }

  /** The key in force, for another hour; a new one where there is none. */
  open(): string {
    if (this.#key === undefined || !this.isValid(this.#key)) {
      this.#end();
      this.#key = createHash('sha256')
        .update(`${this.#account} ${this.#core.seed} ${this.#made++}`)
        .digest('hex')
        .slice(0, 60);
    }
    this.#expiresAt = this.#core.clock.monotonic() + VALID_MS;
    return this.#key;
  }

  isValid(key: string): boolean {
    return key === this.#key && this.#core.clock.monotonic() < this.#expiresAt;
  }

  extend(key: string): boolean {
    if (!this.isValid(key)) return false;
    this.#expiresAt = this.#core.clock.monotonic() + VALID_MS;
    return true;
  }

  close(key: string): boolean {
    if (!this.isValid(key)) return false;
    this.#end();
    return true;
  }

  /** Runs `ended` once the key is closed or another has taken its place. */
  onEnded(key: string, ended: () => void): Disposable {
    let listeners = this.#onEnded.get(key);
    if (listeners === undefined) this.#onEnded.set(key, (listeners = new Set()));
    listeners.add(ended);
    return { [Symbol.dispose]: () => void listeners.delete(ended) };
  }

  #end(): void {
    const key = this.#key;
    this.#key = undefined;
    if (key === undefined) return;
    for (const ended of this.#onEnded.get(key) ?? []) ended();
    this.#onEnded.delete(key);
  }
}

/** Source: binance-spot-api-docs, user-data-stream.md: the key alone is asked for, no signature. */
export function listenKeyEndpoints(keys: ListenKeys): Readonly<Record<string, Endpoint>> {
  const common = { operation: 'subscribe', signed: false, needsKey: true, weight: 2 } as const;
  const byKey =
    (act: (key: string) => boolean): Endpoint['run'] =>
    ({ params }) => {
      const key = params.get('listenKey');
      if (key === null || key === '') return missing('listenKey');
      return act(key) ? ok({}) : failure(-1125, 'This listenKey does not exist.');
    };
  return {
    'POST /api/v3/userDataStream': { ...common, run: () => ok({ listenKey: keys.open() }) },
    'PUT /api/v3/userDataStream': { ...common, run: byKey((key) => keys.extend(key)) },
    'DELETE /api/v3/userDataStream': { ...common, run: byKey((key) => keys.close(key)) },
  };
}
