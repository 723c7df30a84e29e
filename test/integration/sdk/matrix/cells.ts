import { expect, vi } from 'vitest';
import { MemoryOrderJournal, ResilientTradingClient } from '../../../../src/trading/index.js';
import { FAULTS } from './faults.js';
import type { ShownOrder, Subject, SubjectAtVenue } from './subject.js';

/** One case of the matrix: what a bot does while something goes wrong. */
export interface Case {
  readonly subject: Subject;
  readonly table: 'place' | 'cancel' | 'read';
  readonly row: string;
  /** As a sentence. */
  readonly name: string;
  run(): Promise<Outcome>;
}

/** What came of it, once all that must hold has been seen to hold. */
export interface Outcome {
  /** Orders that the bot wanted, and those that are at the venue. */
  readonly wanted: number;
  readonly atVenue: number;
  /** What the caller's error says; undefined: the caller got what it had asked for. */
  readonly error?: string;
}

// A new order can be looked up a little later only.
const SHOWN = { timeout: 60_000, interval: 100 };

export function casesOf(subjects: readonly Subject[]): readonly Case[] {
  return subjects.flatMap((subject) => [
    ...Object.keys(FAULTS).flatMap((row) => faultCases(subject, row)),
    ...Object.entries(ERRORS).map(([row, run]): Case => ({ subject, table: 'place', row, name: `through ${row}`, run: () => run(subject) })),
  ]);
}

function faultCases(subject: Subject, row: string): readonly Case[] {
  const terms = FAULTS[row]!(subject);
  if (terms?.status === 418 && !subject.bans) return [];
  const strike = ({ venue }: SubjectAtVenue, operation: string): void => {
    if (terms !== undefined) venue.fault({ operation, ...terms });
  };
  // Against the network itself delivering an order twice that is over at once there is no proof, where nothing in it counts once only.
  const isRepeated = terms?.kind === 'duplicate' && subject.doublesRequests;
  return [
    ...Object.entries(subject.kinds)
      .filter(([, end]) => !isRepeated || end === 'open')
      .map(([kind, end]): Case => {
        return { subject, table: 'place', row, name: `makes one order of ${kind} through ${row}`, run: () => placed(subject, kind, end, strike) };
      }),
    { subject, table: 'cancel', row, name: `cancels through ${row}`, run: () => cancelled(subject, strike) },
    { subject, table: 'read', row, name: `reads a quote through ${row}`, run: () => quoted(subject, strike) },
  ];
}

type Strike = (at: SubjectAtVenue, operation: string) => void;

async function placed(subject: Subject, kind: string, end: 'open' | 'filled', strike: Strike): Promise<Outcome> {
  await using at = await subject.open();
  await at.ready();
  strike(at, 'place');
  const order = await at.place(kind);
  expectOne(at, order);
  await vi.waitFor(async () => expect(await at.state(order)).toBe(end), SHOWN);
  expectOne(at, order);
  return outcome(at, 1);
}

async function cancelled(subject: Subject, strike: Strike): Promise<Outcome> {
  await using at = await subject.open();
  await at.ready();
  const order = await at.place(Object.keys(subject.kinds).at(-1)!);
  strike(at, 'cancel');
  await at.cancel(order);
  expect(at.venue.orders().map(({ state }) => state)).toEqual(['canceled']);
  return outcome(at, 1);
}

async function quoted(subject: Subject, strike: Strike): Promise<Outcome> {
  await using at = await subject.open();
  await at.ready();
  strike(at, 'quote');
  expect(await at.quote()).toBeCloseTo(subject.price, subject.price > 1_000 ? -2 : 0);
  return outcome(at, 0);
}

/** What ends in an error, or needs more than one fault. */
const ERRORS: Readonly<Record<string, (subject: Subject) => Promise<Outcome>>> = {
  'the venue’s refusal, for want of money': async (subject) => {
    await using at = await subject.open();
    await at.ready();
    const error = await rejection(at.placeUnaffordable());
    expect(at.factsOf(error)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
    expect(at.venue.orders()).toHaveLength(0);
    return outcome(at, 1, told(at, error));
  },
  'the same client order id a second time': async (subject) => {
    await using at = await subject.open();
    await at.ready();
    const order = await at.placeAs('once-1');
    expect(await at.placeAs('once-1')).toEqual(order);
    expectOne(at, order);
    return outcome(at, 1);
  },
  'a lost answer, and no look-up until the deadline': async (subject) => {
    await using at = await subject.open({ deadlineMs: 3_000 });
    await at.ready();
    at.venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
    const blind = ['find', 'openOrders', 'history'].map((operation) => at.venue.fault({ operation, when: 'before', kind: 'status', status: 503 }));
    const error = await rejection(at.placeAs('late-1'));
    expect(at.factsOf(error)).toMatchObject({ code: 'OUTCOME_UNKNOWN', sent: 'maybe', clientOrderId: expect.any(String) });
    for (const one of blind) one[Symbol.dispose]();
    expect(at.venue.orders()).toHaveLength(1);
    return outcome(at, 1, told(at, error));
  },
  'a stream of own orders that drops': async (subject) => {
    await using at = await subject.open();
    if (at.follow !== undefined) return await followed(subject, at, at.follow);
    const { adapter, symbol, qty, restingPrice } = at.adapter();
    if (adapter.events === undefined) return { wanted: 0, atVenue: 0, error: 'no stream' };
    await using client = new ResilientTradingClient({ adapter, journal: new MemoryOrderJournal(), account: 'main' });
    await client.start();
    const handle = await client.place({ symbol, side: 'buy', type: 'limit', qty, price: restingPrice });
    const { venueOrderIds } = await handle.acked({ deadlineMs: 10_000 });
    at.venue.fault({ operation: 'events', when: 'after', kind: 'stream_drop', times: 1 });
    // What happens meanwhile is not sent.
    await vi.waitUntil(
      async () => {
        // The SDK's own time limit is as short here as anywhere: on a busy machine it may take more than one go.
        await at.cancelElsewhere(venueOrderIds[0]!).catch(() => {});
        return at.venue.orders()[0]?.state === 'canceled';
      },
      { timeout: 30_000 },
    );
    expect(await handle.done({ deadlineMs: 30_000 })).toMatchObject({ state: 'canceled' });
    expect(at.venue.orders()).toHaveLength(1);
    return outcome(at, 1);
  },
};

async function followed(subject: Subject, at: SubjectAtVenue, follow: NonNullable<SubjectAtVenue['follow']>): Promise<Outcome> {
  await at.ready();
  const ended: string[] = [];
  await follow(({ venueOrderId, state }) => state === 'canceled' && ended.push(venueOrderId));
  const { venueOrderId } = await at.place(Object.keys(subject.kinds).at(-1)!);
  at.venue.fault({ operation: 'events', when: 'after', kind: 'stream_drop', times: 1 });
  // What happens meanwhile is not sent.
  await at.cancelElsewhere(venueOrderId);
  await vi.waitFor(() => expect(ended).toEqual([venueOrderId]), SHOWN);
  return outcome(at, 1);
}

function expectOne({ venue }: SubjectAtVenue, { venueOrderId, clientOrderId }: ShownOrder): void {
  expect(venue.orders()).toHaveLength(1);
  const [order] = venue.orders();
  if (clientOrderId !== undefined) expect(clientOrderId).toBe(order?.clientOrderId);
  expect(venueOrderId).toContain(order?.venueOrderId);
}

function outcome({ venue }: SubjectAtVenue, wanted: number, error?: string): Outcome {
  return { wanted, atVenue: venue.orders().length, ...(error === undefined ? {} : { error }) };
}

function told(at: SubjectAtVenue, error: unknown): string {
  const { code, sent } = at.factsOf(error)!;
  return `${code}, sent: ${sent}`;
}

function rejection(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => {
      throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}
