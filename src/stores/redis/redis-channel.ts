import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '../../core/clock.js';
import { asError } from '../../core/errors.js';
import { type Logger, redactingLogger } from '../../core/logger.js';
import { type RedisClient, RedisCommands } from './redis-client.js';

/** What {@link RedisChannel} is made of. */
export interface ChannelOptions {
  readonly prefix: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

type Listener = (body: unknown) => void;

/** A message as the stream has it: who sent it, and which of his it is. */
interface Message {
  readonly from: string;
  readonly n: number;
  readonly kind: string;
  readonly body: unknown;
}

const TIMEOUT_MS = 1_000;
const BLOCK_MS = 1_000;
const RETRY_MS = 100;
/** Messages that the stream keeps: some minutes of a busy desk. */
const KEPT = 10_000;
/** Messages that wait while Redis is away; the oldest make room. */
const MOST_WAITING = 1_000;
/** Senders that are remembered, to know a message that comes twice. */
const MOST_SENDERS = 1_000;

/**
 * What processes tell each other, through a Redis stream: each message reaches every process that
 * listens at least once, also over a loss of its connection, and its listeners once. A process hears
 * what is said from when it began to listen, never its own words. What is said while Redis is away
 * goes out when it is back.
 */
export class RedisChannel implements AsyncDisposable {
  readonly #commands: RedisCommands;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #key: string;
  /** Of this process on this channel; random, so that two with one name are still two. */
  readonly id: string = randomUUID();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #heard = new Map<string, number>();
  readonly #closing = new AbortController();
  #waiting: string[] = [];
  #sending: Promise<void> | undefined;
  #reading: Promise<void> | undefined;
  #said = 0;
  #ready: Promise<void> | undefined;

  constructor(client: RedisClient, { prefix, clock = systemClock, logger }: ChannelOptions) {
    this.#commands = new RedisCommands(client, clock, TIMEOUT_MS);
    this.#clock = clock;
    this.#logger = redactingLogger(logger);
    this.#key = `${prefix}:channel`;
  }

  /** Tells all others. Resolves when Redis has it. */
  async publish(kind: string, body: unknown): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const message: Message = { from: this.id, n: ++this.#said, kind, body };
    this.#waiting.push(JSON.stringify(message));
    if (this.#waiting.length > MOST_WAITING) {
      this.#waiting.shift();
      this.#logger.warn({ kept: MOST_WAITING }, 'Redis is away for so long that the oldest message to other processes was dropped');
    }
    this.#sending ??= this.#sendAll();
    await this.#sending;
  }

  on(kind: string, listener: Listener): Disposable {
    const listeners = this.#listeners.get(kind) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(kind, listeners);
    this.#reading ??= this.#read();
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  }

  /** Resolves when what is said from now on will be heard. */
  ready(): Promise<void> {
    return this.#ready ?? Promise.resolve();
  }

  /** What was said before goes out first, where Redis takes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#reading, this.#sending]);
    this.#commands.detach();
  }

  // One at a time and in order: so a message that was sent twice is known by its number.
  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const message = this.#waiting[0] as string;
      try {
        await this.#commands.send(['XADD', this.#key, 'MAXLEN', '~', String(KEPT), '*', 'm', message]);
        if (this.#waiting[0] === message) this.#waiting.shift();
      } catch (error) {
        if (this.#closing.signal.aborted) {
          this.#logger.warn({ error: asError(error), messages: this.#waiting.length }, 'messages to other processes were not sent before the end');
          break;
        }
        this.#logger.debug({ error: asError(error) }, 'a message to other processes waits for Redis');
        await this.#pause();
      }
    }
    this.#sending = undefined;
  }

  #read(): Promise<void> {
    let isReady: () => void = ignore;
    this.#ready = new Promise((resolve) => {
      isReady = resolve;
    });
    return this.#readAll(isReady);
  }

  async #readAll(isReady: () => void): Promise<void> {
    let last: string | undefined;
    while (!this.#closing.signal.aborted) {
      try {
        await using connection = await this.#commands.duplicate();
        // A Redis that has forgotten the stream begins it anew: what it has is all after what was heard.
        const tail = await tailOf(connection, this.#key);
        if (last === undefined || isBefore(tail, last)) last = last === undefined ? tail : '0-0';
        isReady();
        const stop = (): void => void connection[Symbol.asyncDispose]();
        this.#closing.signal.addEventListener('abort', stop, { once: true });
        try {
          while (!this.#closing.signal.aborted) {
            const args: string[] = ['XREAD', 'COUNT', '200', 'BLOCK', String(BLOCK_MS), 'STREAMS', this.#key, last];
            for (const [id, text] of entriesOf(await connection.send(args, BLOCK_MS + TIMEOUT_MS))) {
              this.#hear(text);
              last = id;
            }
          }
        } finally {
          this.#closing.signal.removeEventListener('abort', stop);
        }
      } catch (error) {
        if (this.#closing.signal.aborted) break;
        this.#logger.debug({ error: asError(error) }, 'messages of other processes can not be read from Redis');
        await this.#pause();
      }
    }
    isReady();
  }

  #hear(text: string): void {
    const { from, n, kind, body } = JSON.parse(text) as Message;
    if (from === this.id || n <= (this.#heard.get(from) ?? 0)) return;
    // Moved to the end, so that the one that was silent longest is forgotten first.
    this.#heard.delete(from);
    this.#heard.set(from, n);
    if (this.#heard.size > MOST_SENDERS) this.#heard.delete(this.#heard.keys().next().value as string);
    for (const listener of this.#listeners.get(kind) ?? []) {
      try {
        listener(body);
      } catch (error) {
        this.#logger.error({ error: asError(error), kind }, 'a listener to messages of other processes threw');
      }
    }
  }

  async #pause(): Promise<void> {
    await this.#clock.sleep(RETRY_MS, this.#closing.signal).catch(ignore);
  }
}

const ignore = (): void => {};

async function tailOf(commands: RedisCommands, key: string): Promise<string> {
  const [entry] = (await commands.send(['XREVRANGE', key, '+', '-', 'COUNT', '1'])) as readonly (readonly [string, unknown])[];
  return entry?.[0] ?? '0-0';
}

/** Ids are `<ms>-<n>`. */
function isBefore(a: string, b: string): boolean {
  const [aMs = 0, aN = 0] = a.split('-').map(Number);
  const [bMs = 0, bN = 0] = b.split('-').map(Number);
  return aMs < bMs || (aMs === bMs && aN < bN);
}

/** Of one stream, in the ways in which clients give it: `[[key, entries]]`, `[key, entries]`, or by key. */
function entriesOf(reply: unknown): readonly (readonly [id: string, text: string])[] {
  if (reply === null || reply === undefined) return [];
  const entries = Array.isArray(reply) ? entriesOfPair(reply) : entriesByKey(reply);
  return (entries as readonly (readonly [string, readonly string[]])[]).map(([id, fields]) => [id, fields[1] as string]);
}

function entriesOfPair(reply: readonly unknown[]): unknown {
  return typeof reply[0] === 'string' ? reply[1] : (reply[0] as readonly unknown[])[1];
}

function entriesByKey(reply: unknown): unknown {
  return reply instanceof Map ? reply.values().next().value : Object.values(reply as object)[0];
}
