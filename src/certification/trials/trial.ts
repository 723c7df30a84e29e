import type { AlertGroup, Notifier } from '../../contracts/alerts.js';
import type { BrokerAdapter } from '../../contracts/broker.js';
import { EventBus, type VenueKitEvents } from '../../contracts/events.js';
import type { MarketDataAdapter } from '../../contracts/market-data.js';
import type { MetricStore } from '../../contracts/metric-store.js';
import { throwIfAborted } from '../../core/abort.js';
import { VenueKitError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { ManualClock } from '../../core/manual-clock.js';
import { seededRandom } from '../../core/random.js';
import type { VenueKit, VenueKitOptions } from '../../kit/venue-kit.js';
import { MemoryMetricStore } from '../../stores/memory/memory-metric-store.js';
import { MemoryOrderJournal } from '../../stores/memory/memory-order-journal.js';
import { SimulatedVenue, type SimulatedVenueOptions, simulatedBroker } from '../../testing/index.js';
import type { CreateKit } from '../kit-module.js';
import { Witness } from './witness.js';

/** What every trial of a run shares. */
export interface TrialGround {
  /** The host's options. */
  readonly options: VenueKitOptions;
  readonly create: CreateKit;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** What is particular to one trial. */
export interface TrialConditions {
  readonly venue?: SimulatedVenueOptions;
  /** For the kit, in place of the host's. */
  readonly kit?: Partial<VenueKitOptions>;
  /** What stands between witness and kit, such as a venue whose errors hold secrets. */
  readonly between?: (broker: BrokerAdapter & MarketDataAdapter, clock: ManualClock) => BrokerAdapter & MarketDataAdapter;
  /** A trial before: this kit comes after it, on its venue and its journal. */
  readonly after?: Pick<Trial, 'clock' | 'venue' | 'journal'>;
}

export const TRIAL_SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as const;
const PRICES: Readonly<Record<(typeof TRIAL_SYMBOLS)[number], number>> = { 'BTC/USDT': 60_000, 'ETH/USDT': 3_000, 'SOL/USDT': 150 };
/** The longest that anything may take of virtual time before it counts as stuck. */
const STUCK_MS = 600_000;
const TURN_MS = 250;

/**
 * A kit with the host's options over a simulated venue in virtual time, and everything about it that
 * can be seen from outside: what reached the venue, what was logged, who was told.
 */
export class Trial implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly bus: EventBus;
  readonly venue: SimulatedVenue;
  readonly witness: Witness;
  readonly kit: VenueKit;
  readonly store: MetricStore;
  readonly journal: MemoryOrderJournal;
  /** What the kit said, as it reached the host's logger. */
  readonly logged: readonly string[];
  /** What its notifiers were handed, by their names; virtual epoch ms. */
  readonly told: readonly { readonly at: number; readonly notifier: string; readonly group: AlertGroup }[];
  readonly #signal: AbortSignal;

  private constructor(
    parts: Pick<Trial, 'clock' | 'bus' | 'venue' | 'witness' | 'kit' | 'store' | 'journal' | 'logged' | 'told'>,
    signal: AbortSignal,
  ) {
    this.clock = parts.clock;
    this.bus = parts.bus;
    this.venue = parts.venue;
    this.witness = parts.witness;
    this.kit = parts.kit;
    this.store = parts.store;
    this.journal = parts.journal;
    this.logged = parts.logged;
    this.told = parts.told;
    this.#signal = signal;
  }

  /** A kit that is started. @throws what making or starting it throws */
  static async start(ground: TrialGround, conditions: TrialConditions = {}): Promise<Trial> {
    const trial = await Trial.make(ground, conditions);
    try {
      await trial.settle(trial.kit.start());
      return trial;
    } catch (error) {
      await trial[Symbol.asyncDispose]();
      throw error;
    }
  }

  static async make({ options, create, seed, signal }: TrialGround, conditions: TrialConditions): Promise<Trial> {
    throwIfAborted(signal);
    const clock = conditions.after?.clock ?? new ManualClock();
    const venue = conditions.after?.venue ?? new SimulatedVenue({ ...venueLike(options.broker), seed, clock, ...conditions.venue });
    const witness = new Witness(clock);
    // A listener of a trial that throws does so on purpose.
    const bus = new EventBus({ onListenerError: () => {} });
    const store = new MemoryMetricStore();
    const journal = conditions.after?.journal ?? new MemoryOrderJournal({ clock });
    const seen = witness.broker(simulatedBroker(venue));
    const adapter = conditions.between?.(seen, clock) ?? seen;
    const logged: string[] = [];
    const told: { at: number; notifier: string; group: AlertGroup }[] = [];
    const notifiers = (options.notifiers ?? []).map((notifier) =>
      stoodInFor(notifier, (group) => told.push({ at: clock.now(), notifier: notifier.name, group })),
    );
    const kit = await create({
      ...portableOptions(options),
      bus,
      clock,
      random: seededRandom(seed + 1),
      logger: keepingLogger(logged),
      store,
      notifiers,
      ...(options.broker === undefined ? {} : { broker: adapter, journal: witness.journal(journal) }),
      ...(options.marketData === undefined ? {} : { marketData: adapter }),
      ...conditions.kit,
    });
    return new Trial({ clock, bus, venue, witness, kit, store, journal, logged, told }, signal);
  }

  /** Lets virtual time pass. @throws the reason of the run's signal */
  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= TURN_MS) {
      throwIfAborted(this.#signal);
      await this.clock.advance(Math.min(TURN_MS, left));
    }
  }

  /** Lets time pass until `work` is over. @throws VenueKitError STUCK when it never is */
  async settle<T>(work: Promise<T>, withinMs: number = STUCK_MS): Promise<T> {
    let isOver = false;
    const over = work.finally(() => {
      isOver = true;
    });
    over.catch(() => {});
    for (let waited = 0; ; waited += 10) {
      await this.clock.advance(0);
      if (isOver) return over;
      throwIfAborted(this.#signal);
      if (waited >= withinMs) throw new VenueKitError('STUCK', `Nothing came of it within ${withinMs / 1000} s of virtual time.`);
      await this.clock.advance(10);
    }
  }

  /** Keeps every payload of an event from now on. */
  collect<K extends keyof VenueKitEvents>(event: K): readonly { readonly at: number; readonly payload: VenueKitEvents[K] }[] {
    const seen: { at: number; payload: VenueKitEvents[K] }[] = [];
    this.bus.on(event, (payload) => seen.push({ at: this.clock.monotonic(), payload }));
    return seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.settle(this.kit.close()).catch(() => {});
  }
}

/** What reaches outside, which every trial has its own of. */
const OUTSIDE: readonly (keyof VenueKitOptions)[] = [
  'bus',
  'clock',
  'random',
  'logger',
  'broker',
  'marketData',
  'dataDir',
  'journal',
  'store',
  'notifiers',
  'trace',
];

/** What of the host's options a trial takes over. */
export function portableOptions(options: VenueKitOptions): VenueKitOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !(OUTSIDE as readonly string[]).includes(name)));
}

/** A venue that guarantees what the host's adapter says that its own does. */
export function venueLike(broker: BrokerAdapter | undefined): SimulatedVenueOptions {
  const capabilities = broker?.capabilities;
  return {
    symbols: Object.fromEntries(TRIAL_SYMBOLS.map((symbol) => [symbol, { price: PRICES[symbol], priceStep: '0.01', qtyStep: '0.0001' }])),
    latency: { p50Ms: 10, p99Ms: 60 },
    partialFills: true,
    ...(capabilities === undefined
      ? {}
      : {
          fence: capabilities.fence ?? false,
          visibilityLagMs: capabilities.visibilityLagMs,
          clientIdUniqueness: capabilities.clientId.unique,
        }),
  };
}

/** Hears what the host's notifier would be told, under its name; nobody outside is told of a trial. */
function stoodInFor(notifier: Notifier, hear: (group: AlertGroup) => void): Notifier {
  return {
    name: notifier.name,
    ...(notifier.resendMs === undefined ? {} : { resendMs: notifier.resendMs }),
    ...(notifier.wantsSuppressed === undefined ? {} : { wantsSuppressed: notifier.wantsSuppressed }),
    notify: async (group) => hear(group),
  };
}

function keepingLogger(lines: string[]): Logger {
  const keep =
    (level: string) =>
    (facts: object, message = ''): void => {
      lines.push(`${level} ${message} ${textOf(facts)}`);
    };
  return { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}

/** All text in a value, messages of errors and of their causes included. */
export function textOf(value: unknown): string {
  const above = new Set<unknown>();
  const plain = (_: string, member: unknown): unknown => {
    if (typeof member === 'bigint') return String(member);
    if (typeof member !== 'object' || member === null) return member;
    if (above.has(member)) return '[again]';
    above.add(member);
    return member instanceof Error
      ? { ...Object.fromEntries(Object.entries(member)), name: member.name, message: member.message, stack: member.stack, cause: member.cause }
      : member;
  };
  return JSON.stringify(value, plain) ?? String(value);
}
