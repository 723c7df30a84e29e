import type { BrokerAdapter } from '../../contracts/broker.js';
import type { MarketDataAdapter } from '../../contracts/market-data.js';
import { onAbort } from '../../core/abort.js';
import { VenueKitError } from '../../core/errors.js';
import type { ManualClock } from '../../core/manual-clock.js';
import type { Fault } from '../../testing/index.js';
import { SimulatedVenue, simulatedBroker } from '../../testing/index.js';
import { bareDesk, kitDesk, SDK_TIMEOUT_MS } from './desks.js';
import { Trial, type TrialGround, venueLike } from './trial.js';
import { Witness } from './witness.js';
import { runWorkload, type WorkloadLog } from './workload.js';

/** The same work with the kit and without, at the same time, each on a venue of the same seed and the same faults. */
export interface SessionResult {
  readonly trial: Trial;
  readonly withKit: WorkloadLog;
  readonly without: WorkloadLog;
  /** Requests for market data that reached the venue. */
  readonly fetches: { readonly withKit: number; readonly without: number };
  /** Faults that struck the side of the kit. */
  readonly struck: number;
  /** Orders at the venue beyond one an intent. */
  readonly duplicates: { readonly withKit: number; readonly without: number };
  /** Age of each delivered value, from the moment its request was sent, over what its reader allowed. */
  readonly agesOverAllowed: readonly number[];
  /** What the bus told. */
  readonly told: {
    readonly placements: number;
    readonly intents: number;
    readonly reads: number;
    readonly pools: ReadonlyMap<string, { readonly inUse: number; readonly most: number; readonly leaks: number }>;
  };
  /** Epoch ms of the virtual time in which it ran. */
  readonly from: number;
  readonly to: number;
}

const FAULT_SHARE = 0.03;
const LOST_FOR_MS = 60_000;

/** Each kind as often as the others. */
const FAULTS: readonly Fault[] = [
  { when: 'before', kind: 'drop', ms: LOST_FOR_MS },
  { when: 'after', kind: 'drop', ms: LOST_FOR_MS },
  { when: 'before', kind: 'status', status: 503 },
  { when: 'after', kind: 'status', status: 503 },
  { when: 'after', kind: 'reset' },
  { when: 'after', kind: 'html' },
];
const RUN_OUT_MS = 120_000;

export async function runSession(ground: TrialGround, durationMs: number): Promise<SessionResult> {
  const trial = await Trial.start(ground, { between: givingUp });
  const { clock, witness } = trial;
  const bareVenue = new SimulatedVenue({ ...venueLike(ground.options.broker), seed: ground.seed, clock });
  const bareWitness = new Witness(clock);
  for (const venue of [trial.venue, bareVenue]) for (const fault of FAULTS) venue.fault({ ...fault, probability: FAULT_SHARE / FAULTS.length });

  const told = listen(trial);
  const agesOverAllowed: number[] = [];
  const from = clock.now();
  const work = { clock, seed: ground.seed, durationMs } as const;
  const desk = kitDesk(trial.kit);
  const bare = bareDesk(bareWitness.broker(simulatedBroker(bareVenue)), clock);
  // What the kit has not, is not asked of the other side either.
  const { quote, submit, cancel } = bare;
  const same = { ...(desk.quote && quote ? { quote } : {}), ...(desk.submit && submit && cancel ? { submit, cancel } : {}) };
  const both = Promise.all([
    runWorkload(desk, {
      ...work,
      name: 'kit',
      onValue: (value, allowedMs) => {
        const sentAt = witness.sentAt(value) ?? sentAtOf(value, trial);
        agesOverAllowed.push((clock.monotonic() - sentAt) / allowedMs);
      },
    }),
    runWorkload(same, { ...work, name: 'bare' }),
  ]);
  const [withKit, without] = await trial.settle(both, durationMs + RUN_OUT_MS * 5);
  // The last answers, and a tick that has them.
  await trial.advance(2_000);
  const to = clock.now();
  return {
    trial,
    withKit,
    without,
    fetches: { withKit: witness.count('fetch'), without: bareWitness.count('fetch') },
    struck: trial.venue.log().filter(({ type }) => type === 'fault').length,
    duplicates: {
      withKit: duplicatesAt(trial.venue, (id) => id),
      without: duplicatesAt(bareVenue, (id) => id.replace(/\.\d+$/, '')),
    },
    agesOverAllowed,
    told: told(),
    from,
    to,
  };
}

/** Market data through an SDK that gives up on a request: a kit's adapter is one. Orders have the kit's own time limit. */
function givingUp(broker: BrokerAdapter & MarketDataAdapter, clock: ManualClock): BrokerAdapter & MarketDataAdapter {
  return {
    ...broker,
    fetch: async (kind, requests, attempt) => {
      const over = new AbortController();
      const timer = clock.schedule(SDK_TIMEOUT_MS, () => over.abort(new VenueKitError('TIMEOUT', `no answer within ${SDK_TIMEOUT_MS} ms`)));
      const aborting = onAbort(attempt.signal, (reason) => over.abort(reason));
      try {
        return await broker.fetch(kind, requests, { ...attempt, signal: over.signal });
      } finally {
        timer[Symbol.dispose]();
        aborting[Symbol.dispose]();
      }
    },
  };
}

/** Counts events; the result tells how many there were. */
function listen({ bus }: Trial): () => SessionResult['told'] {
  let placements = 0;
  let reads = 0;
  const intents = new Set<string>();
  const pools = new Map<string, { inUse: number; most: number; leaks: number }>();
  const poolOf = (name: string): { inUse: number; most: number; leaks: number } => {
    const pool = pools.get(name) ?? { inUse: 0, most: 0, leaks: 0 };
    pools.set(name, pool);
    return pool;
  };
  const fail = (): void => {
    throw new VenueKitError('LISTENER', 'a listener that throws');
  };
  // Before the others: it must stop none of them.
  for (const event of ['venue.call', 'order.state', 'cache.read'] as const) bus.on(event, fail);
  bus.on('venue.call', ({ operation }) => {
    if (operation === 'place') placements++;
  });
  bus.on('order.state', ({ order }) => intents.add(order.intent.intentId));
  bus.on('cache.read', () => reads++);
  bus.on('pool.state', ({ pool, inUse }) => {
    const seen = poolOf(pool);
    seen.inUse = inUse;
    seen.most = Math.max(seen.most, inUse);
  });
  bus.on('pool.leak', ({ pool }) => poolOf(pool).leaks++);
  return () => ({ placements, reads, intents: intents.size, pools });
}

/** A value that was copied on its way has only the venue's own stamp. */
function sentAtOf(value: object, { clock }: Trial): number {
  const { eventTime } = value as { readonly eventTime?: number };
  return eventTime === undefined ? -Infinity : clock.monotonic() - (clock.now() - eventTime);
}

function duplicatesAt(venue: SimulatedVenue, intentOf: (clientOrderId: string) => string): number {
  const perIntent = new Map<string, number>();
  for (const { clientOrderId = '', state } of venue.orders()) {
    if (state === 'rejected') continue;
    const intent = intentOf(clientOrderId);
    perIntent.set(intent, (perIntent.get(intent) ?? 0) + 1);
  }
  return [...perIntent.values()].reduce((sum, count) => sum + count - 1, 0);
}
