import genericPool from 'generic-pool';
import { abortable } from '../core/abort.js';
import type { Clock } from '../core/clock.js';
import { asError, VenueKitError } from '../core/errors.js';
import { Connection } from './connection.js';
import type { PoolPolicy } from './pool-options.js';

// What generic-pool counts. A failed opening is an item too, given back at once: its pool would
// otherwise call a failing factory again without pause and keep the error to itself.
type Item<T> = { readonly connection: Connection<T>; closed?: Promise<void> } | { readonly failure: Error };

/**
 * How many connections exist. generic-pool owns creating, the limit, destroying and draining; each
 * connection stays on loan from it for its whole life, and who holds it is the business of
 * {@link ConnectionPool}, off generic-pool's slow path. None of its timers is used.
 */
export class ConnectionInventory<T> {
  readonly #policy: PoolPolicy<T>;
  readonly #clock: Clock;
  readonly #onDestroyError: (error: Error) => void;
  readonly #items = new Map<Connection<T>, Item<T>>();
  readonly #openings = new Set<AbortController>();
  readonly #pool: genericPool.Pool<Item<T>>;
  #closing = 0;

  constructor(policy: PoolPolicy<T>, clock: Clock, onDestroyError: (error: Error) => void) {
    this.#policy = policy;
    this.#clock = clock;
    this.#onDestroyError = onDestroyError;
    this.#pool = genericPool.createPool<Item<T>>(
      { create: () => this.#create(), destroy: (item) => this.#destroy(item) },
      { max: policy.max, min: 0, autostart: false, evictionRunIntervalMillis: 0, testOnBorrow: false },
    );
  }

  /** Connections that are open. */
  get size(): number {
    return this.#items.size;
  }

  /** How many more may be opened now. A connection that is being closed still takes its place. */
  get room(): number {
    return this.#policy.max - this.#pool.size - this.#closing;
  }

  /** Every open connection. */
  connections(): IterableIterator<Connection<T>> {
    return this.#items.keys();
  }

  /** @throws what the factory threw. To be called only while there is {@link room}. */
  async open(): Promise<Connection<T>> {
    const item = await this.#pool.acquire();
    if ('failure' in item) {
      await this.#pool.destroy(item);
      throw item.failure;
    }
    this.#items.set(item.connection, item);
    return item.connection;
  }

  /** Closes a connection; resolves when it is closed, or when that takes too long. */
  async close(connection: Connection<T>): Promise<void> {
    const item = this.#items.get(connection);
    if (item === undefined || 'failure' in item) return;
    this.#items.delete(connection);
    await this.#pool.destroy(item);
    await item.closed;
  }

  /** Ends all openings with `reason`, and resolves when every connection has been closed. */
  async drain(reason: Error): Promise<void> {
    for (const opening of this.#openings) opening.abort(reason);
    await this.#pool.drain();
    await this.#pool.clear();
  }

  async #create(): Promise<Item<T>> {
    const { create, createTimeoutMs, name } = this.#policy;
    const controller = new AbortController();
    this.#openings.add(controller);
    const timer = this.#clock.schedule(createTimeoutMs, () =>
      controller.abort(new VenueKitError('POOL_CREATE_TIMEOUT', `Pool "${name}": opening a connection took longer than ${createTimeoutMs} ms`)),
    );
    // A factory that throws at once is one that fails.
    const opening = (async () => create(controller.signal))();
    try {
      return { connection: new Connection(await abortable(opening, controller.signal)) };
    } catch (error) {
      // What arrives after all is nobody's: it must not stay open at the venue.
      if (controller.signal.aborted) opening.then((late) => this.#end(late)).catch(() => {});
      return { failure: asError(error) };
    } finally {
      timer[Symbol.dispose]();
      this.#openings.delete(controller);
    }
  }

  #destroy(item: Item<T>): Promise<void> {
    if ('failure' in item) return Promise.resolve();
    item.closed = this.#end(item.connection.resource);
    return item.closed;
  }

  async #end(resource: T): Promise<void> {
    const { destroy, destroyTimeoutMs, name } = this.#policy;
    if (destroy === undefined) return;
    this.#closing++;
    const tooLong = new AbortController();
    const timer = this.#clock.schedule(destroyTimeoutMs, () =>
      tooLong.abort(new VenueKitError('POOL_DESTROY_TIMEOUT', `Pool "${name}": closing a connection took longer than ${destroyTimeoutMs} ms`)),
    );
    try {
      await abortable((async () => destroy(resource))(), tooLong.signal);
    } catch (error) {
      this.#onDestroyError(asError(error));
    } finally {
      timer[Symbol.dispose]();
      this.#closing--;
    }
  }
}
