import { randomUUID } from 'node:crypto';
import type { Bus } from '../../contracts/events.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { asError, closedError, VenueKitError } from '../../core/errors.js';
import type { Limit, LimitObservation } from '../../core/limits.js';
import { type Logger, redactingLogger } from '../../core/logger.js';
import { requireFraction, requireInteger, requireKnown, requireNonNegative, requirePositive, requireText } from '../../core/options.js';
import type { SharedCost, SharedLimits, SharedRequest } from '../../core/shared-limits.js';
import { LIMITS_SCRIPT } from './limits-script.js';
import { RedisChannel } from './redis-channel.js';
import { type RedisClient, RedisCommands } from './redis-client.js';

/** What {@link redisLimits} takes. */
export interface RedisLimitsOptions {
  /** Whose limits they are: processes with the same venue, prefix and names below count together. */
  readonly venue: string;
  /** As the adapter has them. */
  readonly limits: readonly Limit[];
  /** What limits by account are counted by. @defaultValue 'main' */
  readonly account?: string;
  /** What limits by IP are counted by: hosts behind one address give it one name. @defaultValue 'shared' */
  readonly address?: string;
  /** The most processes that spend at once: what is set aside for those that are cut off is divided by it. @defaultValue 8 */
  readonly processes?: number;
  /** Share of each limit that is set aside for processes that can't ask the shared count. @defaultValue 0.1 */
  readonly aloneShare?: number;
  /** By how much the ways of two requests to the venue may differ: units count for so much longer than the venue's window. @defaultValue 100 */
  readonly spreadMs?: number;
  /** A count that does not answer within it counts as away. @defaultValue 500 */
  readonly timeoutMs?: number;
  /** @defaultValue 'venuekit' */
  readonly prefix?: string;
  readonly bus?: Bus;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

const OPTIONS = ['venue', 'limits', 'account', 'address', 'processes', 'aloneShare', 'spreadMs', 'timeoutMs', 'prefix', 'bus', 'clock', 'logger'];
const BEAT_MS = 1_000;
const PROBE_EVERY_MS = 200;
/** Requests that go into one call of the script. */
const MOST_TOGETHER = 100;

/** A cost as the script takes it. */
interface ScriptCost {
  readonly k: string;
  readonly u: number;
  readonly c: number;
  readonly kind: Limit['kind'];
  readonly cap: number;
  readonly per?: number;
  readonly decay?: number;
  readonly limit: string;
}

interface Asking {
  readonly request: SharedRequest;
  readonly costs: readonly ScriptCost[];
  readonly resolve: (waitMs: number) => void;
  readonly reject: (error: unknown) => void;
}

interface Block {
  readonly limit?: string;
  readonly forMs: number;
}

/**
 * Counts a venue's limits for all processes in Redis, on the host's own client.
 *
 * @example
 * const limits = redisLimits(new Redis(url), { venue: adapter.venue, limits: adapter.limits });
 * const client = new ResilientTradingClient({ adapter, journal, limits });
 */
export function redisLimits(client: RedisClient, options: RedisLimitsOptions): RedisLimits {
  return new RedisLimits(client, options);
}

/** See {@link redisLimits}. */
export class RedisLimits implements SharedLimits {
  readonly limits: readonly Limit[];
  readonly alone: readonly Limit[];
  readonly #commands: RedisCommands;
  readonly #channel: RedisChannel;
  readonly #clock: Clock;
  readonly #bus: Bus | undefined;
  readonly #logger: Logger;
  readonly #venue: string;
  readonly #processes: number;
  readonly #spreadMs: number;
  readonly #state: string;
  readonly #names: Readonly<Record<Limit['scope'], string>>;
  readonly #byId: ReadonlyMap<string, Limit>;
  /** Capacities as the venue has them. */
  readonly #declared: ReadonlyMap<string, number>;
  readonly #me: string = randomUUID();
  readonly #counters = new Map<string, ScriptCost>();
  readonly #held = new Map<string, number>();
  readonly #upListeners = new Set<() => void>();
  readonly #blockListeners = new Set<(limit: string | undefined, forMs: number) => void>();
  #asking: Asking[] = [];
  #settling: { readonly do: 'sent' | 'release'; readonly costs: readonly ScriptCost[] }[] = [];
  #observing: object[] = [];
  #running: Promise<void> | undefined;
  #known = '';
  #isUp = true;
  #timer: Disposable | undefined;
  /** Whether the next call goes out also with nothing to say. */
  #isBeatDue = false;
  #hasToldOfCrowd = false;
  #hasLookedForEviction = false;
  #isClosed = false;

  /** @throws RangeError or TypeError that names the option */
  constructor(client: RedisClient, options: RedisLimitsOptions) {
    requireKnown('redisLimits', options, OPTIONS);
    const { venue, limits, account = 'main', address = 'shared', processes = 8, aloneShare = 0.1, spreadMs = 100, timeoutMs = 500 } = options;
    const { prefix = 'venuekit', bus, clock = systemClock, logger } = options;
    for (const [name, value] of Object.entries({ venue, account, address, prefix })) requireText(name, value);
    this.#venue = venue;
    this.#processes = requireInteger('processes', processes, 1);
    requireFraction('aloneShare', aloneShare);
    this.#spreadMs = requireNonNegative('spreadMs', spreadMs);
    this.#clock = clock;
    this.#bus = bus;
    this.#logger = redactingLogger(logger);
    this.#commands = new RedisCommands(client, clock, requirePositive('timeoutMs', timeoutMs));
    // One hash slot, so that one script may touch all of it in a cluster.
    this.#state = `{${prefix}:limits:${venue}}`;
    this.#names = { ip: address, account, symbol: account };
    const aloneUnits = (limit: Limit): number => Math.floor((capacityOf(limit) * aloneShare) / processes);
    this.alone = limits.filter((limit) => aloneUnits(limit) > 0).map((limit) => withCapacity(limit, aloneUnits(limit)));
    this.limits = limits.map((limit) => withCapacity(limit, capacityOf(limit) - aloneUnits(limit) * processes));
    this.#byId = new Map(this.limits.map((limit) => [limit.id, limit]));
    this.#declared = new Map(limits.map((limit) => [limit.id, capacityOf(limit)]));
    this.#channel = new RedisChannel(client, { prefix: this.#state, clock, ...(logger && { logger }) });
    this.#channel.on('blocked', (body) => {
      const { limit, forMs } = body as Block;
      for (const listener of [...this.#blockListeners]) listener(limit, forMs);
    });
    this.#arm(0);
  }

  get isUp(): boolean {
    return this.#isUp && !this.#isClosed;
  }

  /** Resolves when blocks that others hear of from now on will be heard here. */
  ready(): Promise<void> {
    return this.#channel.ready();
  }

  reserve(request: SharedRequest): Promise<number> {
    if (this.#isClosed) return Promise.reject(closedError('RedisLimits'));
    const costs = request.costs.map((cost) => this.#toScript(cost, request.symbol));
    return new Promise((resolve, reject) => {
      this.#asking.push({ request, costs, resolve, reject });
      this.#run();
    });
  }

  sent(costs: readonly SharedCost[], symbol?: string): void {
    this.#settle('sent', costs, symbol);
  }

  release(costs: readonly SharedCost[], symbol?: string): void {
    this.#settle('release', costs, symbol);
  }

  observe(seen: LimitObservation, symbol?: string): void {
    if (this.#isClosed) return;
    const { limit: id, used, remaining, resetAt, blockedUntil } = seen;
    const limit = this.#byId.get(id);
    const now = this.#clock.now();
    if (blockedUntil !== undefined && Number.isFinite(blockedUntil) && blockedUntil > now)
      this.#block({ ...(limit === undefined ? {} : { limit: id }), forMs: blockedUntil - now });
    if (limit === undefined || (limit.scope === 'symbol' && symbol === undefined)) return;
    const counted = Math.max(
      ...[used, remaining === undefined ? undefined : (this.#declared.get(id) as number) - remaining].map((units) => finiteOr(units, -1)),
    );
    if (counted <= 0) return;
    const resetMs = resetAt === undefined || !Number.isFinite(resetAt) ? undefined : Math.max(1, resetAt - now);
    this.#observing.push({ c: this.#toScript({ limit: id, units: 0, ceiling: 0 }, symbol), used: counted, ...(resetMs && { resetMs }) });
    this.#run();
  }

  ban(forMs: number): void {
    if (!this.#isClosed && forMs > 0) this.#block({ forMs });
  }

  onBlocked(listener: (limit: string | undefined, forMs: number) => void): Disposable {
    this.#blockListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#blockListeners.delete(listener) };
  }

  onUp(listener: () => void): Disposable {
    this.#upListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#upListeners.delete(listener) };
  }

  /** What it holds and has not sent is given back. The client stays open. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
    for (const { reject } of this.#asking.splice(0)) reject(closedError('RedisLimits'));
    await this.#running;
    this.#held.clear();
    if (this.#isUp) await this.#call([], true).catch(() => {});
    this.#commands.detach();
    await this.#channel[Symbol.asyncDispose]();
  }

  #block(block: Block): void {
    this.#observing.push(block);
    this.#run();
    // Pushed beside: the count refuses it anyway, and what is granted already is held back by this.
    this.#channel.publish('blocked', block).catch(() => {});
  }

  #settle(what: 'sent' | 'release', costs: readonly SharedCost[], symbol: string | undefined): void {
    const converted = costs.map((cost) => this.#toScript(cost, symbol));
    for (const { k, u } of converted) this.#unhold(k, u);
    this.#settling.push({ do: what, costs: converted });
    this.#run();
  }

  #unhold(k: string, units: number): void {
    const left = (this.#held.get(k) ?? 0) - units;
    if (left > 0) this.#held.set(k, left);
    else this.#held.delete(k);
  }

  #run(): void {
    if (this.#isUp) this.#running ??= this.#work();
    else this.#refuseAll(new VenueKitError('STORAGE', 'The count of limits that processes share is away.'));
  }

  /** One call at a time: whoever asks meanwhile goes into the next. */
  async #work(): Promise<void> {
    // Whoever asks in this turn goes into the first.
    await Promise.resolve();
    while (this.#isBeatDue || (this.#isUp && this.#asking.length + this.#settling.length + this.#observing.length > 0)) {
      const isBeat = this.#isBeatDue;
      this.#isBeatDue = false;
      this.#asking.sort((a, b) => a.request.rank - b.request.rank);
      const asking = this.#asking.splice(0, MOST_TOGETHER);
      try {
        const answers = await this.#call(asking, isBeat);
        for (const [i, one] of asking.entries()) this.#answer(one, Number(answers[i]));
        if (!this.#isUp && !this.#isClosed) this.#goUp();
      } catch (error) {
        for (const { reject } of asking) reject(error);
        this.#goDown(asError(error));
      }
    }
    this.#running = undefined;
  }

  #answer({ costs, resolve }: Asking, waitMs: number): void {
    if (waitMs === 0) for (const { k, u } of costs) this.#held.set(k, (this.#held.get(k) ?? 0) + u);
    resolve(waitMs);
  }

  /** One call of the script. What is settled stays in line until it is told. */
  async #call(asking: readonly Asking[], tidy: boolean): Promise<readonly string[]> {
    const settle = [...this.#settling];
    const observe = [...this.#observing];
    const body = {
      fresh: randomUUID(),
      known: this.#known,
      me: this.#me,
      settle,
      observe,
      ask: asking.map(({ costs }) => ({ costs })),
      // With nothing on its way, what is held here is what the count should have.
      ...(tidy && { tidy, counters: Object.fromEntries(this.#counters), held: Object.fromEntries(this.#held) }),
    };
    const reply = await this.#commands.run(LIMITS_SCRIPT, [this.#state], [JSON.stringify(body)]);
    const [id, alive, answers] = reply as readonly [string, string, readonly string[]];
    this.#settling.splice(0, settle.length);
    this.#observing.splice(0, observe.length);
    this.#known = id;
    this.#tellOfCrowd(Number(alive));
    if (!this.#hasLookedForEviction) void this.#lookForEviction();
    return answers;
  }

  /** A server that makes room by forgetting keys forgets what was sent, and nobody would notice. */
  async #lookForEviction(): Promise<void> {
    this.#hasLookedForEviction = true;
    const memory = String(await this.#commands.send(['INFO', 'memory']).catch(() => ''));
    const [maxmemory, policy] = ['maxmemory', 'maxmemory_policy'].map((name) => new RegExp(`^${name}:(\\S+)`, 'm').exec(memory)?.[1]);
    if (maxmemory === undefined || maxmemory === '0' || policy === 'noeviction') return;
    this.#logger.warn(
      { maxmemory, policy },
      'this Redis may forget keys when its memory is full, and with them what was sent to the venue: limits may then be exceeded. Set maxmemory-policy to noeviction, or give limits a Redis of their own',
    );
  }

  #goDown(error: Error): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#refuseAll(error);
    this.#logger.warn({ error }, 'the shared count of limits is away; this process goes on with the share that was set aside for it');
    this.#tell('open');
    this.#arm(PROBE_EVERY_MS);
  }

  #refuseAll(error: Error): void {
    for (const { reject } of this.#asking.splice(0)) reject(error);
  }

  #goUp(): void {
    this.#isUp = true;
    this.#logger.info({}, 'the shared count of limits is back');
    this.#tell('closed');
    for (const listener of [...this.#upListeners]) listener();
    this.#run();
  }

  #tell(state: 'open' | 'closed'): void {
    if (this.#bus?.has('breaker.state') === true) this.#bus.emit('breaker.state', { scope: `shared-limits ${this.#venue}`, state });
  }

  // Says that this process lives, and finds out whether the count is back.
  #arm(ms: number): void {
    this.#timer?.[Symbol.dispose]();
    if (this.#isClosed) return;
    this.#timer = this.#clock.schedule(ms, () => {
      this.#isBeatDue = true;
      this.#running ??= this.#work();
      void this.#running.then(() => this.#arm(this.#isUp ? BEAT_MS : PROBE_EVERY_MS));
    });
  }

  #tellOfCrowd(alive: number): void {
    if (alive <= this.#processes || this.#hasToldOfCrowd) return;
    this.#hasToldOfCrowd = true;
    this.#logger.warn(
      { alive, processes: this.#processes },
      'more processes share the limits than the option processes says: cut off together, they might spend more than was set aside',
    );
  }

  #toScript({ limit: id, units, ceiling }: SharedCost, symbol: string | undefined): ScriptCost {
    const limit = this.#byId.get(id);
    if (limit === undefined) throw new RangeError(`limit must be one of ${[...this.#byId.keys()].join(', ')}, got "${id}"`);
    const k = [this.#state, id, this.#names[limit.scope], ...(limit.scope === 'symbol' ? [symbol ?? ''] : [])].join(':');
    const shape = limit.kind === 'window' ? { per: limit.perMs + this.#spreadMs } : { decay: limit.decayPerSecond };
    const cost: ScriptCost = { k, u: units, c: ceiling, kind: limit.kind, cap: capacityOf(limit), limit: id, ...shape };
    if (!this.#counters.has(k)) this.#counters.set(k, { ...cost, u: 0 });
    return cost;
  }
}

function capacityOf(limit: Limit): number {
  return limit.kind === 'window' ? limit.units : limit.max;
}

/** A part of a limit; a draining counter's drain is divided like its capacity. */
function withCapacity(limit: Limit, capacity: number): Limit {
  if (limit.kind === 'window') return { ...limit, units: capacity };
  return { ...limit, max: capacity, decayPerSecond: (limit.decayPerSecond * capacity) / limit.max };
}

function finiteOr(value: number | undefined, otherwise: number): number {
  return value !== undefined && Number.isFinite(value) ? value : otherwise;
}
