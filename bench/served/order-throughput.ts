import { Cleanup } from '../../src/core/cleanup.js';
import type { OpenDesk, OrderDesk } from './desks.js';
import { RemoteVenue } from './remote-venue.js';

/** Orders in a second on one desk, with so many in flight. */
export interface OrderThroughput {
  readonly name: string;
  readonly inFlight: number;
  /** Of the rounds, ascending. */
  readonly perSecond: readonly number[];
  /** Of the median round: processor time of an order on the client's side, and on the venue's. */
  readonly clientMs: number;
  readonly venueMs: number;
}

interface Round {
  readonly perSecond: number;
  readonly clientMs: number;
  readonly venueMs: number;
}

/** Each desk on a venue of its own that answers at once; desks take turns within each round. */
export async function orderThroughput(
  opens: readonly OpenDesk[],
  inFlight: readonly number[],
  { rounds, roundMs }: { readonly rounds: number; readonly roundMs: number },
): Promise<readonly OrderThroughput[]> {
  await using opened = new Cleanup();
  const desks: OrderDesk[] = [];
  for (const open of opens) desks.push(opened.use(await open(opened.use(await RemoteVenue.start()), { visibilityLagMs: 0 })));
  let number = 0;
  const run = async (desk: OrderDesk, parallel: number, forMs: number): Promise<Round> => {
    const venueBefore = await desk.venue.usage();
    const cpuBefore = process.cpuUsage();
    const beganAt = performance.now();
    let placed = 0;
    const worker = async (): Promise<void> => {
      while (performance.now() - beganAt < forMs) {
        await desk.submit(number++);
        placed++;
      }
    };
    await Promise.all(Array.from({ length: parallel }, worker));
    const ms = performance.now() - beganAt;
    const { user, system } = process.cpuUsage(cpuBefore);
    const venueMs = (await desk.venue.usage()).cpuMs - venueBefore.cpuMs;
    return { perSecond: (placed / ms) * 1000, clientMs: (user + system) / 1000 / placed, venueMs: venueMs / placed };
  };
  for (const desk of desks) await run(desk, Math.max(...inFlight), roundMs / 2);
  const results: OrderThroughput[] = [];
  for (const parallel of inFlight) {
    const taken = desks.map((desk) => ({ desk, rounds: [] as Round[] }));
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? taken : [...taken].reverse();
      for (const one of order) one.rounds.push(await run(one.desk, parallel, roundMs));
    }
    for (const { desk, rounds: measured } of taken) {
      measured.sort((a, b) => a.perSecond - b.perSecond);
      const { clientMs, venueMs } = measured[measured.length >> 1] as Round;
      results.push({ name: desk.name, inFlight: parallel, perSecond: measured.map(({ perSecond }) => perSecond), clientMs, venueMs });
    }
  }
  return results;
}
