import type { BrokerAdapter } from '../../src/contracts/broker.js';
import { EventBus } from '../../src/contracts/events.js';
import type { OrderIntent } from '../../src/contracts/orders.js';
import { ManualClock } from '../../src/core/manual-clock.js';
import { type Random, seededRandom } from '../../src/core/random.js';
import { MemoryOrderJournal } from '../../src/stores/memory/memory-order-journal.js';
import { simulatedBroker } from '../../src/testing/simulated-broker.js';
import { SimulatedVenue } from '../../src/testing/simulated-venue.js';
import { ResilientTradingClient } from '../../src/trading/resilient-trading-client.js';
import { faultsAt } from './hostility.js';
import { type Count, Judge } from './judge.js';
import { type JournalTrouble, Life, mortalAdapter, mortalClock, mortalJournal, type Wire } from './mortality.js';
import { PROFILES, type ProfileName } from './profiles.js';

/** One run, and all that decides it. */
export interface SeedOptions {
  readonly seed: number;
  /** Things that the bot, its host and its operator do, one after the other. */
  readonly steps: number;
  readonly profile: ProfileName;
  /** Share of requests and events that a fault strikes. */
  readonly faults: number;
  /** Prints what happens. @defaultValue false */
  readonly isTraced?: boolean;
}

export interface SeedResult {
  readonly options: SeedOptions;
  readonly violations: readonly string[];
  readonly count: Count;
  /** Virtual ms from submit to acknowledgement, of those that were acknowledged. */
  readonly latencies: readonly number[];
  readonly virtualMs: number;
  readonly logHash: string;
}

const SYMBOLS = ['BTC/USDT', 'ETH/USDT'];
const PRICES: Readonly<Record<string, number>> = { 'BTC/USDT': 50_000, 'ETH/USDT': 2_500 };
/** Codes that tell a caller of trouble that the client should have kept to itself. */
const TRANSIENT = new Set(['NOT_SENT', 'REFUSED', 'RATE_LIMITED', 'BANNED', 'CIRCUIT_OPEN', 'BULKHEAD_FULL', 'RETRY_BUDGET']);
const DEADLINE_MS = 30_000;
/** What the client promises once faults have stopped, and what it may need beyond: backoffs and blocks that still run. */
const SETTLE_MS = 60_000;

/** Runs client, journal, venue, stream and host from one seed, and lets the judge look. */
export async function runSeed(options: SeedOptions): Promise<SeedResult> {
  const run = new Run(options);
  return run.toEnd();
}

class Run {
  readonly #options: SeedOptions;
  readonly #random: Random;
  readonly #clock = new ManualClock();
  readonly #venue: SimulatedVenue;
  readonly #broker: BrokerAdapter;
  readonly #journal: MemoryOrderJournal;
  readonly #judge: Judge;
  readonly #trouble: JournalTrouble = { kill: 0, fail: 0, slow: 0 };
  readonly #latencies: number[] = [];
  readonly #external = new Set<string>();
  readonly #intents: OrderIntent[] = [];
  // Impatient clients give up on requests that still arrive.
  readonly #timeoutMs: number;
  #life = new Life();
  #client: ResilientTradingClient | undefined;
  #isStarting = false;
  #fateRate = 0;
  #epoch = 0;
  #made = 0;

  constructor(options: SeedOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#timeoutMs = [400, 2_000, 10_000][Math.floor(this.#random() * 3)] as number;
    const limits =
      options.seed % 2 === 0
        ? ([
            { id: 'weight', scope: 'ip', kind: 'window', units: 1_200, perMs: 10_000 },
            { id: 'orders', scope: 'account', kind: 'window', units: 100, perMs: 10_000 },
          ] as const)
        : ([
            { id: 'weight', scope: 'ip', kind: 'decay', max: 600, decayPerSecond: 100 },
            { id: 'orders', scope: 'account', kind: 'window', units: 36, perMs: 5_000 },
          ] as const);
    this.#venue = new SimulatedVenue({
      clock: this.#clock,
      seed: options.seed,
      latency: { p50Ms: 15, p99Ms: 120 },
      partialFills: options.seed % 3 === 0,
      symbols: Object.fromEntries(SYMBOLS.map((symbol) => [symbol, { price: PRICES[symbol]!, priceStep: '0.01', qtyStep: '0.0001' }])),
      races: { cancelLosesToFill: 0.05, lateFill: 0.02 },
      limits,
      log: 'hash',
      ...PROFILES[options.profile],
    });
    this.#broker = simulatedBroker(this.#venue);
    this.#journal = new MemoryOrderJournal({ clock: this.#clock });
    this.#judge = new Judge(this.#clock, this.#broker);
  }

  async toEnd(): Promise<SeedResult> {
    const faults = faultsAt(this.#options.faults, this.#options.profile === 'fence').map((fault) => this.#venue.fault(fault));
    await this.#start();
    this.#trouble.kill = 0.0006;
    this.#trouble.fail = this.#options.faults * 0.02;
    this.#trouble.slow = 0.05;
    this.#fateRate = this.#options.faults * 0.06;
    for (let step = 0; step < this.#options.steps; step++) {
      if (this.#client === undefined && !this.#isStarting) await this.#start();
      this.#step();
      await this.#clock.advance(this.#random() < 0.03 ? this.#random() * 5_000 : this.#random() * 250);
    }
    for (const fault of faults) fault[Symbol.dispose]();
    this.#trouble.kill = 0;
    this.#trouble.fail = 0;
    this.#trouble.slow = 0;
    this.#fateRate = 0;
    this.#venue.setClock({ skewMs: 0, driftPpm: 0 });
    await this.#settle();
    this.#judge.final(this.#venue, this.#external);
    const result: SeedResult = {
      options: this.#options,
      violations: this.#judge.violations,
      count: this.#judge.count,
      latencies: this.#latencies,
      virtualMs: this.#clock.monotonic(),
      logHash: this.#venue.logHash(),
    };
    this.#life.end();
    return result;
  }

  /** A new process on the same journal. Where the last one still holds the lease, it waits for its end, as an operator's supervisor does. */
  async #start(): Promise<void> {
    this.#isStarting = true;
    const life = new Life();
    this.#life = life;
    const die = (): void => {
      if (this.#life !== life) return;
      this.#judge.count.kills++;
      this.#client = undefined;
      this.#isStarting = false;
      this.#trace('killed');
    };
    const clock = mortalClock(this.#clock, life);
    const bus = new EventBus({ onListenerError: (error) => this.#judge.violated(`a listener threw: ${error.message}`) });
    let epoch = 0;
    const wire: Wire = {
      onPlace: (intent, clientOrderId, attempt) => this.#judge.place(intent, clientOrderId, attempt, epoch),
      onCall: (operation) => this.#judge.call(operation),
      onObserved: (seen) => this.#judge.observed(seen),
      fate: () => this.#fate(),
      onTwice: (id) => this.#judge.doubled.add(id),
      onKill: die,
    };
    const journal = mortalJournal(this.#journal, {
      life,
      clock: this.#clock,
      random: this.#random,
      trouble: this.#trouble,
      onDurable: (records) => this.#judge.durable(records),
      onKill: die,
      onLease: (taken) => {
        epoch = taken;
        this.#epoch = taken;
        this.#judge.newestEpoch = Math.max(this.#judge.newestEpoch, taken);
      },
    });
    const adapter = mortalAdapter(this.#broker, life, this.#clock, wire);
    bus.on('order.state', ({ order }) => life.isOver || this.#judge.seen(order));
    bus.on('order.fill', ({ order }) => life.isOver || this.#judge.seen(order));
    bus.on('order.conflict', ({ order }) => this.#judge.conflicts.add(order.intent.intentId));
    if (this.#options.isTraced === true) this.#traceEvents(bus, life);
    this.#judge.newLife();
    const client = new ResilientTradingClient({ adapter, journal, clock, bus, random: this.#random, policy: { timeoutMs: this.#timeoutMs } });
    for (let tries = 0; ; tries++) {
      if (life.isOver) return;
      if (tries > 500) throw new Error('the client does not start any more');
      let outcome: 'started' | 'failed' | undefined;
      client.start().then(
        () => {
          outcome = 'started';
        },
        (error: unknown) => {
          outcome = 'failed';
          this.#trace(`start failed: ${(error as Error).message}`);
        },
      );
      while (outcome === undefined && !life.isOver) await this.#clock.advance(50);
      if (life.isOver) return;
      if (outcome === 'started') break;
      await this.#clock.advance(500);
    }
    this.#client = client;
    this.#isStarting = false;
    this.#trace(`started, epoch ${epoch}`);
  }

  #fate(): ReturnType<Wire['fate']> {
    const dice = this.#random();
    if (dice < this.#fateRate * 0.15) return { kind: 'kill_before' };
    if (dice < this.#fateRate * 0.3) return { kind: 'kill_after' };
    if (dice < this.#fateRate * 0.4) return { kind: 'freeze', ms: 1_000 + this.#random() * 9_000 };
    if (dice < this.#fateRate) return { kind: 'deliver_twice', ms: this.#random() < 0.5 ? 0 : this.#random() * 1_500 };
    return { kind: 'pass' };
  }

  #step(): void {
    const dice = this.#random();
    if (dice < 0.004) for (let burst = 0; burst < 40; burst++) this.#submit(this.#newIntent());
    else if (dice < 0.62) this.#submit(this.#newIntent());
    else if (dice < 0.68) this.#submitAgain();
    else if (dice < 0.8) this.#cancelOne();
    else if (dice < 0.84) this.#replaceOne();
    else if (dice < 0.88) this.#fillOne();
    else if (dice < 0.9) this.#client?.reconcile().catch(() => {});
    else if (dice < 0.92) this.#placeExternal();
    else if (dice < 0.94) this.#resume();
    else if (dice < 0.945) this.#halt();
    else if (dice < 0.95) this.#clock.stepWall((this.#random() - 0.5) * 4_000);
    else if (dice < 0.955) this.#venue.setClock({ skewMs: (this.#random() - 0.5) * 600, driftPpm: (this.#random() - 0.5) * 100 });
    else if (dice < 0.9565) this.#kill();
    else if (dice < 0.96) this.#trySecondProcess();
    else this.#resume();
  }

  #newIntent(): OrderIntent {
    const symbol = SYMBOLS[Math.floor(this.#random() * SYMBOLS.length)]!;
    const side = this.#random() < 0.5 ? 'buy' : 'sell';
    const type = this.#random() < 0.5 ? 'market' : 'limit';
    const price = PRICES[symbol]!;
    const isResting = this.#random() < 0.6;
    const away = isResting ? (side === 'buy' ? 0.9 : 1.1) : side === 'buy' ? 1.01 : 0.99;
    const isOddId = this.#random() < 0.1;
    const intent: OrderIntent = {
      // Some ids are none that a venue would take: the client must send another and still know its own.
      intentId: isOddId ? `strategy "${this.#options.seed}" order №${++this.#made}` : `s${this.#options.seed}-${++this.#made}`,
      symbol,
      side,
      type,
      qty: (0.001 * (1 + Math.floor(this.#random() * 20))).toFixed(4),
      ...(type === 'limit' ? { price: (price * away).toFixed(2) } : undefined),
      ...(this.#random() < 0.05 ? { validUntil: Math.round(this.#clock.now() + this.#random() * 20_000) } : undefined),
    };
    this.#intents.push(intent);
    return intent;
  }

  #submit(intent: OrderIntent): void {
    const client = this.#client;
    const life = this.#life;
    if (client === undefined) return;
    const began = this.#clock.monotonic();
    client.submit(intent, { deadlineMs: DEADLINE_MS }).then(
      () => {
        if (!life.isOver) this.#latencies.push(this.#clock.monotonic() - began);
      },
      (error: { readonly code?: string }) => {
        if (life.isOver) return;
        if (error.code !== undefined && TRANSIENT.has(error.code)) {
          this.#judge.count.transientErrors++;
          this.#judge.violated(`a transient error reached the caller: ${error.code}`);
        }
        if (error.code === 'OUTCOME_UNKNOWN' || error.code === 'DEADLINE') {
          this.#judge.count.deadlineErrors++;
          if (this.#clock.monotonic() - began < DEADLINE_MS - 1) this.#judge.violated(`${error.code} before the deadline`);
        }
        if (error.code === 'INVALID' || error.code === 'IDEMPOTENCY_CONFLICT' || error.code === undefined)
          this.#judge.violated(`an order of the bot was refused: ${String(error)}`);
      },
    );
  }

  // I11: the same intent at once and later, from several places, is one order.
  #submitAgain(): void {
    const intent = this.#random() < 0.5 ? this.#newIntent() : this.#intents[Math.floor(this.#random() * this.#intents.length)];
    if (intent === undefined) return;
    for (let copy = 0; copy < 3; copy++) this.#submit({ ...intent });
  }

  #cancelOne(): void {
    const live = this.#client?.orders({
      state:
        this.#options.profile === 'forever' ? ['working', 'partially_filled'] : ['working', 'partially_filled', 'unknown', 'sending', 'prepared'],
    });
    const view = live?.[Math.floor(this.#random() * live.length)];
    if (view === undefined) return;
    this.#client?.cancel(view.intent.intentId).catch(() => {});
  }

  #replaceOne(): void {
    const live = this.#client?.orders({ state: ['working', 'partially_filled'] }).filter((view) => view.intent.type === 'limit');
    const view = live?.[Math.floor(this.#random() * live.length)];
    if (view === undefined) return;
    const price = (Number(view.intent.price) * (view.intent.side === 'buy' ? 0.99 : 1.01)).toFixed(2);
    this.#client?.replace(view.intent.intentId, { price }).catch(() => {});
    // Two parts of a bot that want the same at once: one remainder all the same.
    if (this.#random() < 0.3) this.#client?.replace(view.intent.intentId, { price }).catch(() => {});
  }

  #fillOne(): void {
    const open = this.#venue.orders('main').filter((order) => order.state === 'working');
    const order = open[Math.floor(this.#random() * open.length)];
    if (order !== undefined) this.#venue.fill(order.venueOrderId, this.#random() < 0.5 ? {} : { qty: '0.0005' });
  }

  #placeExternal(): void {
    const symbol = SYMBOLS[0]!;
    this.#external.add(this.#venue.placeExternal({ symbol, side: 'buy', type: 'limit', qty: '0.001', price: '40000.00' }).venueOrderId);
  }

  #halt(): void {
    const mode = this.#random() < 0.5 ? 'halted' : 'reduce_only';
    const symbol = this.#random() < 0.5 ? { symbol: SYMBOLS[0]! } : undefined;
    this.#client
      ?.halt(mode, 'the operator wants to look', { ...symbol, cancelAll: this.#options.profile !== 'forever' && this.#random() < 0.3 })
      .catch(() => {});
  }

  // An operator who looks at every halt and lets trading go on.
  #resume(): void {
    this.#client?.halt('active', 'the operator has looked').catch(() => {});
    for (const symbol of SYMBOLS) this.#client?.halt('active', 'the operator has looked', { symbol }).catch(() => {});
  }

  #kill(): void {
    if (this.#client === undefined) return;
    this.#life.end();
    this.#client = undefined;
    this.#judge.count.kills++;
    this.#trace('killed by the host');
  }

  #trySecondProcess(): void {
    if (this.#client === undefined) return;
    const epoch = this.#epoch;
    this.#journal.acquire('main', 'a second process', 5_000).then(
      () => this.#judge.violated(`I10: a second process got the lease beside epoch ${epoch}`),
      () => {},
    );
  }

  async #settle(): Promise<void> {
    if (this.#client === undefined && !this.#isStarting) await this.#start();
    this.#resume();
    const stoppedAt = this.#clock.monotonic();
    const isQuiet = (): boolean => {
      const client = this.#client;
      if (client === undefined) return false;
      return client.orders({ state: ['prepared', 'sending', 'unknown', 'pending_cancel', 'pending_replace'] }).length === 0;
    };
    // A new process does not know what the last one has sent, and what it sends on top may be answered with a ban.
    const isLate = (): boolean => this.#clock.monotonic() - Math.max(stoppedAt, this.#judge.blockedUntil) >= SETTLE_MS;
    while (!isQuiet() && !isLate()) await this.#clock.advance(500);
    if (!isQuiet()) this.#judge.violated(`I13: not settled ${SETTLE_MS} ms after faults stopped`);
    let isDone = false;
    // Late fills and rejections come within a second; the visibility lag is one more.
    await this.#clock.advance(10_000);
    this.#client?.reconcile({ deadlineMs: 60_000 }).then(
      () => {
        isDone = true;
      },
      (error: Error) => this.#judge.violated(`the last reconcile failed: ${error.message}`),
    );
    for (let waited = 0; !isDone && waited < 60_000; waited += 500) await this.#clock.advance(500);
    await this.#clock.advance(10_000);
  }

  #trace(what: string): void {
    if (this.#options.isTraced === true) console.error(`${this.#clock.monotonic().toFixed(0).padStart(8)}  ${what}`);
  }

  #traceEvents(bus: EventBus, life: Life): void {
    bus.on(
      'order.state',
      ({ order, from }) => life.isOver || this.#trace(`${order.intent.intentId}: ${from} → ${order.state} (${order.reason ?? ''})`),
    );
    bus.on('order.conflict', ({ order }) => life.isOver || this.#trace(`${order.intent.intentId}: CONFLICT ${order.reason ?? ''}`));
    bus.on('venue.call', ({ operation, outcome, ms }) => life.isOver || this.#trace(`  ${operation} ${outcome} after ${ms.toFixed(0)} ms`));
    bus.on('stream.state', ({ state }) => life.isOver || this.#trace(`stream ${state}`));
    bus.on('halt', ({ mode, reason }) => life.isOver || this.#trace(`halt ${mode}: ${reason}`));
  }
}
