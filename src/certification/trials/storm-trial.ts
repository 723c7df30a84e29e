import { Trial, type TrialGround } from './trial.js';

/** Orders that come in while every placement fails. */
export interface StormResult {
  /** Whether the breaker of placements said that it was open. */
  readonly isOpened: boolean;
  /** Placements that reached the venue in the last ten seconds of the storm, of 100 that were wanted. */
  readonly sentLate: number;
  /** Of those that were submitted, how many the venue had in the end. */
  readonly submitted: number;
  readonly arrived: number;
}

const EVERY_MS = 100;
const STORM_MS = 20_000;
const LATE_MS = 10_000;
const SETTLE_MS = 60_000;

/** Ten orders a second for 20 s against a venue that answers placements with 503, and then works again. */
export async function runStorm(ground: TrialGround): Promise<StormResult> {
  await using trial = await Trial.start(ground);
  const { clock, kit, venue, witness } = trial;
  const breakers = trial.collect('breaker.state');
  const fault = venue.fault({ operation: 'place', when: 'before', kind: 'status', status: 503 });
  const began = clock.monotonic();
  let submitted = 0;
  for (; submitted * EVERY_MS < STORM_MS; submitted++) {
    kit
      .trading!.submit({ intentId: `storm-${submitted}`, symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '0.0100' }, { deadlineMs: SETTLE_MS })
      .catch(() => {});
    await trial.advance(EVERY_MS);
  }
  const late = witness.requests.filter(({ at, operation }) => operation === 'place' && at >= began + STORM_MS - LATE_MS).length;
  const isOpened = breakers.some(({ payload }) => payload.state === 'open' && payload.scope.includes('place'));
  fault[Symbol.dispose]();
  await trial.advance(SETTLE_MS);
  return { isOpened, sentLate: late, submitted, arrived: venue.orders().length };
}
