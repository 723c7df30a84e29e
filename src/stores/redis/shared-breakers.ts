import type { Bus } from '../../contracts/events.js';
import { type Clock, systemClock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import { requireKnown, requireMethods, requireText } from '../../core/options.js';
import { RedisChannel } from './redis-channel.js';
import { type RedisClient, RedisCommands } from './redis-client.js';

const SCOPES = ['place', 'read'] as const;
type Scope = (typeof SCOPES)[number];

/** What can be tripped: a ResilientTradingClient fits. */
export interface Trippable {
  tripBreaker(operations: Scope, reason: string, options?: { readonly forMs?: number }): Disposable;
  guards(): Readonly<Record<Scope, { readonly retryAfterMs: number }>>;
}

/** What {@link redisBreakers} takes. */
export interface RedisBreakersOptions {
  /** Processes with the same venue and prefix share the state of its breakers. */
  readonly venue: string;
  /** The bus of `client`, on which its breakers tell of their changes. */
  readonly bus: Bus;
  readonly client: Trippable;
  /** @defaultValue 'venuekit' */
  readonly prefix?: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

interface Change {
  readonly scope: Scope;
  readonly state: 'open' | 'closed';
  readonly reason: string;
  readonly forMs: number;
}

/** Breakers that processes share; see {@link redisBreakers}. */
export interface RedisBreakers extends AsyncDisposable {
  /** Resolves when what is open is known here, and what opens from now on will be heard. */
  ready(): Promise<void>;
}

/**
 * Shares the state of a venue's circuit breakers: one process that sees the venue fail spares all
 * others the same failures, and the first whose probe succeeds lets all go on. A process that starts
 * meanwhile finds them open. While Redis is away each process is guarded by its own breakers alone.
 */
export function redisBreakers(client: RedisClient, options: RedisBreakersOptions): RedisBreakers {
  requireKnown('redisBreakers', options, ['venue', 'bus', 'client', 'prefix', 'clock', 'logger']);
  requireMethods('client', options.client, ['tripBreaker', 'guards']);
  requireMethods('bus', options.bus, ['on', 'emit', 'has']);
  return new SharedBreakers(client, options);
}

class SharedBreakers implements RedisBreakers {
  readonly #commands: RedisCommands;
  readonly #channel: RedisChannel;
  readonly #client: Trippable;
  readonly #key: string;
  readonly #subscription: Disposable;
  readonly #trips = new Map<Scope, Disposable>();
  readonly #known: Promise<void>;
  /** While a change of another process is taken over, which is not to be told on. */
  #isRemote = false;
  #isClosed = false;

  constructor(client: RedisClient, { venue, bus, client: trippable, prefix = 'venuekit', clock = systemClock, logger }: RedisBreakersOptions) {
    this.#client = trippable;
    this.#key = `${requireText('prefix', prefix)}:breaker:${requireText('venue', venue)}`;
    this.#commands = new RedisCommands(client, clock, 1_000);
    this.#channel = new RedisChannel(client, { prefix: this.#key, clock, ...(logger && { logger }) });
    this.#channel.on('change', (body) => this.#take(body as Change));
    this.#subscription = bus.on('breaker.state', ({ scope, state, reason = '' }) => {
      if (!this.#isRemote && isScope(scope) && state !== 'half_open') this.#tell(scope, state, reason);
    });
    // After what opens from now on is heard: a change in between would be missed.
    this.#known = this.#channel
      .ready()
      .then(() => this.#readState())
      .catch(() => {});
  }

  ready(): Promise<void> {
    return this.#known;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#subscription[Symbol.dispose]();
    this.#commands.detach();
    await this.#channel[Symbol.asyncDispose]();
  }

  #tell(scope: Scope, state: 'open' | 'closed', reason: string): void {
    const forMs = state === 'open' ? Math.max(1, Math.ceil(this.#client.guards()[scope].retryAfterMs)) : 0;
    const change: Change = { scope, state, reason, forMs };
    // Our own evidence takes the place of what others said.
    this.#end(scope);
    const key = `${this.#key}:${scope}`;
    const kept = state === 'open' ? this.#commands.send(['SET', key, reason, 'PX', String(forMs)]) : this.#commands.send(['DEL', key]);
    kept.catch(() => {});
    this.#channel.publish('change', change).catch(() => {});
  }

  #take({ scope, state, reason, forMs }: Change): void {
    this.#end(scope);
    if (state === 'closed') return;
    this.#isRemote = true;
    try {
      this.#trips.set(scope, this.#client.tripBreaker(scope, `another process: ${reason}`, { forMs }));
    } finally {
      this.#isRemote = false;
    }
  }

  #end(scope: Scope): void {
    this.#trips.get(scope)?.[Symbol.dispose]();
    this.#trips.delete(scope);
  }

  async #readState(): Promise<void> {
    for (const scope of SCOPES) {
      if (this.#isClosed) return;
      const key = `${this.#key}:${scope}`;
      const reason = await this.#commands.send(['GET', key]);
      const forMs = Number(await this.#commands.send(['PTTL', key]));
      if (typeof reason === 'string' && forMs > 0 && !this.#isClosed) this.#take({ scope, state: 'open', reason, forMs });
    }
  }
}

function isScope(scope: string): scope is Scope {
  return (SCOPES as readonly string[]).includes(scope);
}
