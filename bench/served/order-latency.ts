import { setTimeout as delay } from 'node:timers/promises';
import type { BotLog } from '../../examples/session/bot.js';
import { judge, type Verdicts } from '../../examples/session/judge.js';
import { Cleanup } from '../../src/core/cleanup.js';
import { type DeskOptions, MARKET_ORDER, type OpenDesk, type OrderDesk } from './desks.js';
import { RemoteVenue } from './remote-venue.js';
import type { VenueSettings } from './venue-process.js';

/** How long orders took on one desk, and what became of them. */
export interface OrderLatency extends Verdicts {
  readonly name: string;
  /** Ascending, ms. */
  readonly latencies: readonly number[];
  /** Orders of which the bot was told that they failed. */
  readonly errors: number;
}

/** One desk on a venue of its own. */
export interface Side {
  readonly open: OpenDesk;
  readonly faultShare: number;
}

interface OpenSide {
  readonly desk: OrderDesk;
  readonly log: BotLog;
  readonly faultShare: number;
}

/** One order after the other, the desks taking turns, so that whatever the machine does meanwhile meets all of them. */
export async function latenciesInTurn(opens: readonly OpenDesk[], orders: number, warmUp: number): Promise<readonly OrderLatency[]> {
  await using opened = new Cleanup();
  const sides = await openAll(
    opened,
    opens.map((open) => ({ open, faultShare: 0 })),
    { visibilityLagMs: 0 },
    {},
  );
  for (let number = 0; number < warmUp + orders; number++) {
    for (const { desk, log } of sides) {
      await submit(desk, number, log);
      if (number < warmUp) log.orderLatenciesMs.length = 0;
    }
  }
  return await Promise.all(sides.map(resultOf));
}

/** An order every `everyMs` on each side, whatever became of those before, all sides at the same time. */
export async function latenciesOnSchedule(
  asked: readonly Side[],
  options: DeskOptions,
  venue: VenueSettings,
  { orders, everyMs }: { readonly orders: number; readonly everyMs: number },
): Promise<readonly OrderLatency[]> {
  await using opened = new Cleanup();
  const sides = await openAll(opened, asked, options, venue);
  // Only now: what is compared is orders, not how a start survives.
  for (const { desk, faultShare } of sides) if (faultShare > 0) await desk.venue.fault(faultShare);
  const beganAt = performance.now();
  const runSide = async (side: OpenSide, index: number): Promise<OrderLatency> => {
    const submitted: Promise<void>[] = [];
    for (let number = 0; number < orders; number++) {
      await delay(Math.max(0, beganAt + (number + index / sides.length) * everyMs - performance.now()));
      submitted.push(submit(side.desk, number, side.log));
    }
    await Promise.all(submitted);
    return resultOf(side);
  };
  // Awaited here: what was opened closes when this returns.
  return await Promise.all(sides.map(runSide));
}

function openAll(opened: Cleanup, asked: readonly Side[], options: DeskOptions, settings: VenueSettings): Promise<readonly OpenSide[]> {
  return Promise.all(
    asked.map(async ({ open, faultShare }) => {
      const venue = opened.use(await RemoteVenue.start(settings));
      return { desk: opened.use(await open(venue, options)), log: newLog(), faultShare };
    }),
  );
}

async function submit(desk: OrderDesk, number: number, log: BotLog): Promise<void> {
  log.orders.push({ number, ...MARKET_ORDER });
  const beganAt = performance.now();
  try {
    await desk.submit(number);
  } catch (error) {
    log.failedOrders.set(number, String(error));
  }
  log.orderLatenciesMs.push(performance.now() - beganAt);
}

async function resultOf({ desk, log }: OpenSide): Promise<OrderLatency> {
  const verdicts = judge(
    log,
    await desk.venue.orders(),
    (id) => desk.numberOf(id),
    (number) => desk.endedWithProof(number),
  );
  return { name: desk.name, latencies: log.orderLatenciesMs.sort((a, b) => a - b), errors: log.failedOrders.size, ...verdicts };
}

function newLog(): BotLog {
  return { readLatenciesMs: [], orderLatenciesMs: [], readErrors: [], failedOrders: new Map(), orders: [] };
}
