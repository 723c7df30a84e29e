import { expect, vi } from 'vitest';
import { MemoryOrderJournal, ResilientTradingClient } from '../../../../src/trading/index.js';
import { LISTS, ORDERS_OF, RESTING, replacing, TRAILING } from '../binance/composite-writers.js';
import { FAULTS } from './faults.js';
import type { ShownOrder, Subject, SubjectAtVenue } from './subject.js';

/** One case of the matrix: what a bot does while something goes wrong. */
export interface Case {
  readonly subject: Subject;
  readonly table: 'place' | 'cancel' | 'read' | 'composite';
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
    ...compositeCases(subject),
  ]);
}

/** A reset is a lost request or answer, half a body is one of HTML, and a ban a longer 429: those are in the other tables. */
const STRIKE_COMPOSITES = [
  'nothing goes wrong',
  'a lost answer',
  'a lost request',
  '503 with a page of HTML, after',
  'an answer that the outcome is unknown, after',
  'HTTP 429',
  'a request delivered twice',
  'an answer after the SDK’s timeout',
];

function faultCases(subject: Subject, row: string): readonly Case[] {
  const terms = FAULTS[row]!(subject);
  if (terms?.status === 418 && !subject.bans) return [];
  const strike = strikeOf(terms);
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

/** Six requests at a time each: last, when it is known how many cases the machine bears beside each other. */
function compositeCases(subject: Subject): readonly Case[] {
  if (subject.hasComposites === undefined) return [];
  return STRIKE_COMPOSITES.map((row) => ({
    subject,
    table: 'composite',
    row,
    name: `replaces an order, and places lists and a trailing stop through ${row}`,
    run: () => composed(subject, strikeOf(FAULTS[row]!(subject))),
  }));
}

function strikeOf(terms: ReturnType<(typeof FAULTS)[string]>): Strike {
  return ({ venue }, operation, times = 1) => {
    if (terms !== undefined) venue.fault({ operation, ...terms, times });
  };
}

/** @param times - how many requests are struck, where several go out at the same time */
type Strike = (at: SubjectAtVenue, operation: string, times?: number) => void;

/** What is judged is what comes of it, and not how soon. */
const PATIENT = { deadlineMs: 100_000 };

async function placed(subject: Subject, kind: string, end: 'open' | 'filled', strike: Strike): Promise<Outcome> {
  await using at = await subject.open(PATIENT);
  await at.ready();
  strike(at, 'place');
  const order = await at.place(kind);
  expectOne(at, order);
  await vi.waitFor(async () => expect(await at.state(order)).toBe(end), SHOWN);
  expectOne(at, order);
  return outcome(at, 1);
}

async function cancelled(subject: Subject, strike: Strike): Promise<Outcome> {
  await using at = await subject.open(PATIENT);
  await at.ready();
  const order = await at.place(Object.keys(subject.kinds).at(-1)!);
  strike(at, 'cancel');
  await at.cancel(order);
  expect(at.venue.orders().map(({ state }) => state)).toEqual(['canceled']);
  return outcome(at, 1);
}

async function quoted(subject: Subject, strike: Strike): Promise<Outcome> {
  await using at = await subject.open(PATIENT);
  await at.ready();
  strike(at, 'quote');
  expect(await at.quote()).toBeCloseTo(subject.price, subject.price > 1_000 ? -2 : 0);
  return outcome(at, 0);
}

/** All of them at the same time, each struck once. */
async function composed(subject: Subject, strike: Strike): Promise<Outcome> {
  await using at = await subject.open(PATIENT);
  await at.ready();
  const writer = at.composites!;
  const { orderId } = await writer.place(RESTING);
  const large = writer.amend === undefined ? undefined : await writer.place({ ...RESTING, price: 62_000 });
  const kinds = Object.keys(LISTS) as (keyof typeof LISTS)[];
  strike(at, 'place', (large === undefined ? 2 : 3) + kinds.length);
  const amending = large && writer.amend?.({ symbol: 'BTCUSDT', orderId: Number(large.orderId), newQty: 0.004 });
  const asked = [writer.replace(replacing(orderId)), writer.place(TRAILING), ...kinds.map((kind) => writer.list(kind))] as const;
  const [[replaced, trailing, ...lists], amended] = await Promise.all([Promise.all(asked), amending]);
  if ('cancelResult' in replaced!)
    expect(replaced).toMatchObject({ cancelResult: 'SUCCESS', newOrderResult: 'SUCCESS', cancelResponse: { orderId, status: 'CANCELED' } });
  expect(replaced).toMatchObject({ newOrderResponse: { clientOrderId: 'new-1', status: 'NEW' } });
  for (const [index, kind] of kinds.entries()) {
    const each = (row: object): readonly object[] => Array.from({ length: ORDERS_OF[kind] }, () => row);
    expect(lists[index]).toMatchObject({
      ...{ contingencyType: kind === 'OCO' ? 'OCO' : 'OTO', listOrderStatus: 'EXECUTING', listClientOrderId: LISTS[kind].listClientOrderId },
      ...{ orders: each({ symbol: 'BTCUSDT' }), orderReports: each({ symbol: 'BTCUSDT', status: expect.stringMatching(/^(PENDING_)?NEW$/) }) },
    });
  }
  const [old, ...others] = at.venue.orders();
  expect(old).toMatchObject({ state: 'canceled', price: '60000' });
  const made = large === undefined ? others : others.slice(1);
  if (large !== undefined) {
    expect(others[0]).toMatchObject({ state: 'working', price: '62000', qty: '0.004' });
    expect(amended).toMatchObject({ amendedOrder: { orderId: large.orderId, qty: '0.00400000', status: 'NEW' } });
  }
  const reports = [replaced!.newOrderResponse, trailing, ...lists.flatMap((list) => list.orderReports)] as { orderId: unknown }[];
  // Each is told of, and no other is there.
  expect(reports.map((one) => String(one.orderId)).sort()).toEqual(made.map(({ venueOrderId }) => venueOrderId).sort());
  expect(new Set(made.map(({ state }) => state))).toEqual(new Set(['working']));
  return { wanted: reports.length, atVenue: made.length };
}

/** What ends in an error, or needs more than one fault. */
const ERRORS: Readonly<Record<string, (subject: Subject) => Promise<Outcome>>> = {
  'the venue’s refusal, for want of money': async (subject) => {
    await using at = await subject.open(PATIENT);
    await at.ready();
    const error = await rejection(at.placeUnaffordable());
    expect(at.factsOf(error)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
    expect(at.venue.orders()).toHaveLength(0);
    return outcome(at, 1, told(at, error));
  },
  'the same client order id a second time': async (subject) => {
    await using at = await subject.open(PATIENT);
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
    // On a busy machine the request itself may not have been there yet.
    await vi.waitFor(() => expect(at.venue.orders()).toHaveLength(1), SHOWN);
    return outcome(at, 1, told(at, error));
  },
  'a stream of own orders that drops': async (subject) => {
    await using at = await subject.open(PATIENT);
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
