import type { AlertInstance } from '../../contracts/alerts.js';
import type { OrderState } from '../../contracts/orders.js';
import { kitDesk } from './desks.js';
import { Trial, type TrialGround } from './trial.js';
import { runWorkload } from './workload.js';

/** A venue that answers nothing but 503 for a while, in the middle of a bot's work. Times in virtual seconds. */
export interface OutageResult {
  /** From the beginning of the outage until a rule that was silent before raised an alert; undefined where none was. */
  readonly raisedAfterS: number | undefined;
  /** Until each notifier was handed it, by name. */
  readonly toldAfterS: ReadonlyMap<string, number>;
  readonly resolvedTold: ReadonlySet<string>;
  /** From the end of the outage until a quote and an order went through again. */
  readonly recoveredAfterS: number | undefined;
  readonly rulesRaised: readonly string[];
}

const EVERY_MS = 1_000;
const WARM_MS = 70_000;
const OUTAGE_MS = 60_000;
const AFTER_MS = 150_000;

export async function runOutage(ground: TrialGround): Promise<OutageResult> {
  await using trial = await Trial.start(ground);
  const { clock, venue, kit } = trial;
  const alerts = trial.collect('alert');
  const startedAt = clock.monotonic();
  const startedAtWall = clock.now();
  let isOver = false;
  const work = runWorkload(kitDesk(kit), {
    clock,
    seed: ground.seed + 5,
    durationMs: WARM_MS + OUTAGE_MS + AFTER_MS,
    everyMs: EVERY_MS,
    name: 'outage',
  }).then(() => {
    isOver = true;
  });
  await trial.advance(WARM_MS);
  const fault = venue.fault({ when: 'before', kind: 'status', status: 503 });
  await trial.advance(OUTAGE_MS);
  fault[Symbol.dispose]();
  const recoveredAt = await recoveryOf(trial, ground);
  await trial.advance(AFTER_MS);
  for (let waited = 0; !isOver && waited < AFTER_MS; waited += 1_000) await trial.advance(1_000);
  work.catch(() => {});

  const begin = startedAt + WARM_MS;
  const end = begin + OUTAGE_MS;
  const fired = alerts.filter(({ payload }) => payload.alert.state === 'firing' || payload.alert.state === 'nodata');
  // A rule that fires while nothing is wrong tells nothing when something is.
  const always = new Set(fired.filter(({ at }) => at < begin).map(({ payload }) => levelOf(payload.alert)));
  const raised = fired.filter(({ at, payload }) => at >= begin && !always.has(levelOf(payload.alert)));
  const wallBegin = startedAtWall + WARM_MS;
  const toldAfterS = new Map<string, number>();
  const resolvedTold = new Set<string>();
  for (const { at, notifier, group } of trial.told) {
    if (at < wallBegin || group.alerts.every((alert) => always.has(levelOf(alert)))) continue;
    if (group.status === 'resolved') resolvedTold.add(notifier);
    else if (!toldAfterS.has(notifier)) toldAfterS.set(notifier, (at - wallBegin) / 1000);
  }
  return {
    raisedAfterS: raised[0] === undefined ? undefined : (raised[0].at - begin) / 1000,
    toldAfterS,
    resolvedTold,
    recoveredAfterS: recoveredAt === undefined ? undefined : (recoveredAt - end) / 1000,
    rulesRaised: [...new Set(raised.map(({ payload }) => payload.alert.rule))],
  };
}

const AT_VENUE: readonly (OrderState | undefined)[] = ['working', 'partially_filled', 'filled'];

/** Rules may share an id when their severities differ. */
const levelOf = ({ rule, severity }: AlertInstance): string => `${severity} ${rule}`;

/** Until both ways work again, at most the time that is watched afterwards. */
async function recoveryOf(trial: Trial, { seed, options }: TrialGround): Promise<number | undefined> {
  const { kit, clock } = trial;
  const within = { deadlineMs: AFTER_MS };
  const both = Promise.all([
    kit.marketData?.get('quote', { symbol: 'ETH/USDT' }, { ...within, maxAgeMs: 300 }),
    kit.trading?.submit({ intentId: `recovery-${seed}`, symbol: 'ETH/USDT', side: 'buy', type: 'market', qty: '0.1000' }, within),
  ]);
  try {
    const [quote, order] = await trial.settle(both, AFTER_MS);
    const isThere = {
      quote: options.marketData === undefined || quote !== undefined,
      order: options.broker === undefined || AT_VENUE.includes(order?.state),
    };
    return isThere.quote && isThere.order ? clock.monotonic() : undefined;
  } catch {
    return undefined;
  }
}
