import type { CacheEntry, SharedCacheStore } from '../../contracts/cache-store.js';
import type { Bus } from '../../contracts/events.js';
import { throwIfAborted } from '../../core/abort.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { closedError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { requireKnown, requireNonNegative, requirePositive, requireText } from '../../core/options.js';
import { decodeEntry, encodeEntry } from './entry-codec.js';
import { RedisChannel } from './redis-channel.js';
import { type RedisClient, RedisCommands, redisScript } from './redis-client.js';
import { ServerClock } from './server-clock.js';

/** What a {@link RedisCacheStore} takes. */
export interface RedisCacheStoreOptions {
  /** Of every key. @defaultValue 'venuekit' */
  readonly prefix?: string;
  /** The most that the wall clocks of two hosts may differ by; entries of a host that is further apart are not read. @defaultValue 50 */
  readonly skewMs?: number;
  /** How long one command may take. @defaultValue 1_000 */
  readonly timeoutMs?: number;
  /** Hears of clocks that are too far apart. */
  readonly bus?: Bus;
  /** @defaultValue systemClock */
  readonly clock?: Clock;
  /** @defaultValue silence */
  readonly logger?: Logger;
}

const TELL_EVERY_MS = 1_000;
/** What a wall clock of whole milliseconds leaves out: by so much an entry could look younger than it is. */
const WALL_STEP_MS = 1;

// What is held stays where it says something newer: by the venue's sequence, then the venue's time, then the time of the send.
const SET_IF_NEWER = redisScript(`
local held = redis.call('GETRANGE', KEYS[1], 0, 127)
if held ~= '' then
  local sent, event, seq = string.match(held, '^([^|]*)|([^|]*)|([^|]*)|')
  local isOlder
  if seq ~= '' and ARGV[3] ~= '' and seq ~= ARGV[3] then isOlder = tonumber(ARGV[3]) < tonumber(seq)
  elseif event ~= '' and ARGV[2] ~= '' and event ~= ARGV[2] then isOlder = tonumber(ARGV[2]) < tonumber(event)
  else isOlder = tonumber(ARGV[1]) < tonumber(sent) end
  if isOlder then return 0 end
end
redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
return 1
`);

/**
 * The second level of market data's cache, in Redis, on the host's own client.
 *
 * @example
 * const shared = redisCacheStore(new Redis(url));
 * const marketData = new CachedMarketDataClient({ adapter, shared });
 */
export function redisCacheStore(client: RedisClient, options: RedisCacheStoreOptions = {}): RedisCacheStore {
  return new RedisCacheStore(client, options);
}

/**
 * Entries that processes share: written only where they are newer than what is there, by a script;
 * one process at a time loads a key, by a lease. Times are kept by the server's clock, so that an age
 * is right whatever the hosts' clocks say; a host whose clock is further off than declared is not trusted.
 */
export class RedisCacheStore implements SharedCacheStore {
  readonly #client: RedisClient;
  readonly #options: RedisCacheStoreOptions;
  readonly #commands: RedisCommands;
  readonly #time: ServerClock;
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #skewMs: number;
  #channel: RedisChannel | undefined;
  #toldAt: number = -Infinity;
  #isClosed = false;

  /** @throws RangeError or TypeError that names the option */
  constructor(client: RedisClient, options: RedisCacheStoreOptions) {
    requireKnown('redisCacheStore', options, ['prefix', 'skewMs', 'timeoutMs', 'bus', 'clock', 'logger']);
    this.#client = client;
    this.#options = options;
    this.#prefix = requireText('prefix', options.prefix ?? 'venuekit');
    this.#skewMs = requireNonNegative('skewMs', options.skewMs ?? 50);
    this.#clock = options.clock ?? systemClock;
    this.#commands = new RedisCommands(client, this.#clock, requirePositive('timeoutMs', options.timeoutMs ?? 1_000));
    this.#time = new ServerClock(this.#commands, this.#clock);
  }

  async getMany(keys: readonly string[], signal?: AbortSignal): Promise<readonly (CacheEntry | undefined)[]> {
    this.#requireOpen();
    throwIfAborted(signal);
    if (keys.length === 0) return [];
    await this.#time.ready();
    const found = (await this.#commands.send(['MGET', ...keys.map((key) => this.#entryKey(key))])) as readonly (string | null)[];
    throwIfAborted(signal);
    return found.map((text) => (text === null ? undefined : this.#toEntry(text)));
  }

  /** @returns whether it was written; false where what is there is newer */
  async setIfNewer(key: string, entry: CacheEntry, ttlMs: number): Promise<boolean> {
    this.#requireOpen();
    requirePositive('ttlMs', ttlMs);
    await this.#time.ready();
    const { sentAt, receivedAt, eventTime, seq, weight, source, value } = entry;
    const aheadMs = this.#time.aheadMs();
    // Older rather than younger, by as much as the server's time is uncertain here; the reader does the same.
    const shift = -aheadMs - this.#time.uncertaintyMs - WALL_STEP_MS;
    const head = { sentAt: sentAt + shift, receivedAt: receivedAt + shift, eventTime, seq, aheadMs, weight, source };
    const text = encodeEntry(head, value);
    const args = [head.sentAt.toFixed(3), String(eventTime ?? ''), String(seq ?? ''), text, String(Math.max(1, Math.round(ttlMs)))];
    return (await this.#commands.run(SET_IF_NEWER, [this.#entryKey(key)], args)) === 1;
  }

  /** Whether this process is to load a key: undefined while another one does. */
  async lease(key: string, ttlMs: number): Promise<{ readonly token: string } | undefined> {
    this.#requireOpen();
    requirePositive('ttlMs', ttlMs);
    const token = `${this.#clock.now()}`;
    const set = await this.#commands.send(['SET', `${this.#prefix}:lease:${key}`, token, 'NX', 'PX', String(Math.max(1, Math.round(ttlMs)))]);
    return set === null ? undefined : { token };
  }

  /** Takes entries away, here and from the first level of all other processes. */
  async invalidate(keys: readonly string[]): Promise<void> {
    this.#requireOpen();
    if (keys.length === 0) return;
    await this.#commands.send(['DEL', ...keys.map((key) => this.#entryKey(key))]);
    await this.#listening().publish('invalidate', keys);
  }

  onInvalidate(listener: (keys: readonly string[]) => void): Disposable {
    this.#requireOpen();
    return this.#listening().on('invalidate', (keys) => listener(keys as readonly string[]));
  }

  /** Resolves when invalidations of others from now on will be heard. */
  async ready(): Promise<void> {
    await this.#time.ready();
    await this.#channel?.ready();
  }

  /** The client stays open. Closing twice is fine. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#commands.detach();
    await this.#channel?.[Symbol.asyncDispose]();
  }

  #listening(): RedisChannel {
    const { clock, logger } = this.#options;
    this.#channel ??= new RedisChannel(this.#client, { prefix: `${this.#prefix}:cache`, ...(clock && { clock }), ...(logger && { logger }) });
    return this.#channel;
  }

  #entryKey(key: string): string {
    return `${this.#prefix}:entry:${key}`;
  }

  #toEntry(text: string): CacheEntry | undefined {
    const { sentAt, receivedAt, eventTime, seq, aheadMs: writerAheadMs, weight, source, value } = decodeEntry(text);
    const aheadMs = this.#time.aheadMs();
    if (Math.abs(writerAheadMs - aheadMs) > this.#skewMs) {
      this.#tellOfSkew(Math.abs(writerAheadMs - aheadMs));
      return undefined;
    }
    const shift = aheadMs - this.#time.uncertaintyMs;
    return {
      value,
      sentAt: sentAt + shift,
      receivedAt: receivedAt + shift,
      ...(eventTime !== undefined && { eventTime }),
      ...(seq !== undefined && { seq }),
      epoch: 0,
      source,
      weight,
    };
  }

  #tellOfSkew(apartMs: number): void {
    const now = this.#clock.monotonic();
    if (now - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = now;
    const { bus, logger } = this.#options;
    logger?.warn({ apartMs, allowedMs: this.#skewMs }, 'the clocks of two hosts are further apart than declared, so that they share no entries');
    if (bus?.has('cache.skew') === true) bus.emit('cache.skew', { apartMs, allowedMs: this.#skewMs });
  }

  #requireOpen(): void {
    if (this.#isClosed) throw closedError('RedisCacheStore');
  }
}
