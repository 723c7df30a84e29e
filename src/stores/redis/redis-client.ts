import { createHash } from 'node:crypto';
import type { Clock } from '../../core/clock.js';
import { VenueKitError } from '../../core/errors.js';

/** A client of ioredis, by shape. */
export interface IoRedisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
  duplicate(): IoRedisClient;
  disconnect(): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
}

/** A client of node-redis (the package `redis`), by shape. */
export interface NodeRedisClient {
  sendCommand(args: string[]): Promise<unknown>;
  duplicate(): NodeRedisClient;
  connect(): Promise<unknown>;
  readonly isOpen: boolean;
  /** Since version 5. */
  destroy?(): void;
  disconnect?(): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
}

/** The host's own client, connected; it stays the host's to close. */
export type RedisClient = IoRedisClient | NodeRedisClient;

const ignore = (): void => {};

/** Whether it is a client of ioredis or node-redis. */
export function isRedisClient(client: unknown): client is RedisClient {
  const { call, sendCommand, duplicate, isOpen } = (client ?? {}) as { [name: string]: unknown };
  return typeof duplicate === 'function' && (typeof call === 'function' || (typeof sendCommand === 'function' && typeof isOpen === 'boolean'));
}

/** @throws TypeError where it is neither */
export function requireRedisClient(client: RedisClient): RedisClient {
  if (isRedisClient(client)) return client;
  throw new TypeError(`client must be a connected client of ioredis or node-redis, got ${client === null ? 'null' : typeof client}`);
}

/** A Lua script, which the server keeps after the first call. */
export interface RedisScript {
  readonly source: string;
  readonly sha: string;
}

export function redisScript(source: string): RedisScript {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

/** Commands on the host's client, whichever it is, each with a bound on its time: an offline queue waits for ever. */
export class RedisCommands {
  readonly #client: RedisClient;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #isDetached = false;

  constructor(client: RedisClient, clock: Clock, timeoutMs: number) {
    this.#client = requireRedisClient(client);
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    attach(client);
  }

  /** @throws what the client throws; VenueKitError STORAGE when there is no answer in time */
  send(args: readonly string[], timeoutMs: number = this.#timeoutMs): Promise<unknown> {
    const sent = 'call' in this.#client ? this.#client.call(...(args as [string, ...string[]])) : this.#client.sendCommand(args as string[]);
    return this.#within(sent, args[0] as string, timeoutMs);
  }

  async run({ source, sha }: RedisScript, keys: readonly string[], args: readonly string[], timeoutMs?: number): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.send(['EVALSHA', sha, ...rest], timeoutMs);
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return this.send(['EVAL', source, ...rest], timeoutMs);
    }
  }

  /** A connection of its own, for commands that block. It connects by itself, and again when it was lost. */
  async duplicate(): Promise<RedisCommands & AsyncDisposable> {
    const copy = this.#client.duplicate();
    const commands = new RedisCommands(copy, this.#clock, this.#timeoutMs);
    if (!('call' in copy)) {
      try {
        await this.#within(copy.connect(), 'connect', this.#timeoutMs);
      } catch (error) {
        await close(copy);
        throw error;
      }
    }
    return Object.assign(commands, { [Symbol.asyncDispose]: () => close(copy) });
  }

  /** Stops listening to the client. */
  detach(): void {
    if (!this.#isDetached) detach(this.#client);
    this.#isDetached = true;
  }

  async #within<T>(work: Promise<T>, what: string, timeoutMs: number): Promise<T> {
    let timer: Disposable | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = this.#clock.schedule(
        timeoutMs,
        () => reject(new VenueKitError('STORAGE', `Redis did not answer ${what} within ${timeoutMs} ms.`)),
        true,
      );
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      timer?.[Symbol.dispose]();
      work.catch(ignore);
    }
  }
}

/** How many listen through the one listener of this package: one each would look like a leak. */
const attached = new WeakMap<RedisClient, number>();

// A client that loses its server says so by an event, which ends a process that does not listen.
function attach(client: RedisClient): void {
  const count = attached.get(client) ?? 0;
  if (count === 0) client.on('error', ignore);
  attached.set(client, count + 1);
}

function detach(client: RedisClient): void {
  const count = (attached.get(client) ?? 1) - 1;
  attached.set(client, count);
  if (count === 0) client.removeListener('error', ignore);
}

async function close(client: RedisClient): Promise<void> {
  try {
    if ('call' in client) client.disconnect();
    else if (client.destroy !== undefined) client.destroy();
    else await client.disconnect?.();
  } catch {
    // It was not open.
  }
}
