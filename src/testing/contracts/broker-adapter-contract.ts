import assert from 'node:assert/strict';
import type { Attempt, BrokerAdapter, VenueEvent, VenueOrder, Verdict } from '../../contracts/broker.js';
import type { OrderIntent } from '../../contracts/orders.js';
import { add, compare } from '../../core/decimal.js';
import { type ContractCase, casesOf, collect } from './contract-case.js';

/** An adapter connected to a venue of its own, with no orders at first, and what is needed to put it to the test. */
export interface BrokerUnderTest extends AsyncDisposable {
  readonly adapter: BrokerAdapter;
  /** A symbol, a quantity that a market order fills at once, and the price of a buy order that does not fill. */
  readonly symbol: string;
  readonly qty: string;
  readonly restingPrice: string;
  /** More than the account can pay for. */
  readonly unaffordableQty: string;
  /** The venue's time, epoch ms. */
  venueNow(): number;
  /** Lets that much time pass, for the venue too. */
  passTime(ms: number): Promise<void>;
  /** Loses the next request to place, or its answer, on the way. */
  loseNextPlace?(what: 'request' | 'answer'): void;
  /** Has the next lookup fail. */
  failNextFind?(): void;
  /** How finely the venue tells its time, rounded down. @defaultValue 1 */
  readonly timeStepMs?: number;
  /** What is proved by the venue's answer to a request that arrives after its fence; `unknown` where its words leave open whether it was acted on. @defaultValue 'refused' */
  readonly lateVerdict?: 'refused' | 'unknown';
}

/** How long a lost message may keep its attempt waiting before it is aborted. */
const ATTEMPT_MS = 1_000;

/** What every broker adapter must keep to; run it on your own, against a venue where orders cost nothing. */
export function brokerAdapterContract(options: { readonly open: () => BrokerUnderTest | Promise<BrokerUnderTest> }): readonly ContractCase[] {
  return casesOf(options.open, { ...orderRules, ...proofRules, ...streamRules });
}

type Rules = Readonly<Record<string, (subject: BrokerUnderTest) => Promise<void>>>;

function attempt(subject: BrokerUnderTest, over: Partial<Attempt> = {}): Attempt {
  const { fence } = subject.adapter.capabilities;
  return {
    signal: new AbortController().signal,
    number: 1,
    venueNow: subject.venueNow(),
    ...(fence !== undefined && { fenceMs: fence.defaultMs }),
    ...over,
  };
}

const market = ({ symbol, qty }: BrokerUnderTest): OrderIntent => ({ symbol, side: 'buy', type: 'market', qty });
const resting = ({ symbol, qty, restingPrice }: BrokerUnderTest): OrderIntent => ({ symbol, side: 'buy', type: 'limit', qty, price: restingPrice });

async function accepted(verdict: Promise<Verdict>): Promise<VenueOrder> {
  const answer = await verdict;
  assert.equal(
    answer.kind,
    'accepted',
    answer.kind === 'accepted' ? '' : `it must be accepted, got ${answer.kind}: ${String('cause' in answer && answer.cause)}`,
  );
  return answer.order;
}

/** After the declared lag a lookup must show what is. */
async function find(subject: BrokerUnderTest, clientOrderId: string): Promise<VenueOrder | 'not_found'> {
  await subject.passTime(subject.adapter.capabilities.visibilityLagMs + 1);
  return subject.adapter.find({ symbol: subject.symbol, clientOrderId }, attempt(subject));
}

async function found(subject: BrokerUnderTest, clientOrderId: string): Promise<VenueOrder> {
  const order = await find(subject, clientOrderId);
  assert.ok(order !== 'not_found', `${clientOrderId} must be found once the visibility lag has passed`);
  return order;
}

const orderRules: Rules = {
  'places an order under the given client id and says what the venue made of it': async (subject) => {
    const order = await accepted(subject.adapter.place(resting(subject), 'contract-1', attempt(subject)));
    assert.equal(order.clientOrderId, 'contract-1');
    assert.equal(order.symbol, subject.symbol);
    assert.equal(order.side, 'buy');
    assert.equal(order.state, 'working');
    assert.equal(compare(order.qty, subject.qty), 0);
    assert.equal(compare(order.price ?? '0', subject.restingPrice), 0);
    assert.ok(order.venueOrderId !== '');
    assert.deepEqual(await found(subject, 'contract-1').then(({ venueOrderId, state }) => [venueOrderId, state]), [order.venueOrderId, 'working']);
  },
  'fills a market order, and lists fills that add up to it, each once': async (subject) => {
    const since = subject.venueNow();
    const { venueOrderId } = await accepted(subject.adapter.place(market(subject), 'contract-2', attempt(subject)));
    await subject.passTime(5_000);
    const order = await found(subject, 'contract-2');
    assert.equal(order.state, 'filled');
    const fills = (await collect(subject.adapter.fills(since, attempt(subject)))).filter((one) => one.venueOrderId === venueOrderId);
    assert.equal(
      compare(
        fills.reduce((sum, { fill }) => add(sum, fill.qty), '0'),
        order.filledQty,
      ),
      0,
    );
    assert.equal(new Set(fills.map(({ fill }) => fill.tradeId)).size, fills.length);
    assert.equal(compare(order.filledQty, subject.qty), 0);
  },
  'lists open orders, and ended ones no more': async (subject) => {
    await accepted(subject.adapter.place(resting(subject), 'contract-3', attempt(subject)));
    await subject.passTime(subject.adapter.capabilities.visibilityLagMs + 1);
    const ids = async (): Promise<(string | undefined)[]> =>
      (await collect(subject.adapter.openOrders(attempt(subject)))).map(({ clientOrderId }) => clientOrderId);
    assert.deepEqual(await ids(), ['contract-3']);
    await accepted(subject.adapter.cancel({ symbol: subject.symbol, clientOrderId: 'contract-3' }, attempt(subject)));
    assert.equal((await found(subject, 'contract-3')).state, 'canceled');
    assert.deepEqual(await ids(), []);
  },
  'lists orders of any state by their last change since then': async (subject) => {
    const first = subject.venueNow();
    await accepted(subject.adapter.place(resting(subject), 'contract-4', attempt(subject)));
    await subject.passTime(subject.adapter.capabilities.visibilityLagMs + 10);
    await accepted(subject.adapter.cancel({ symbol: subject.symbol, clientOrderId: 'contract-4' }, attempt(subject)));
    await subject.passTime(subject.adapter.capabilities.visibilityLagMs + 10);
    const all = await collect(subject.adapter.history(first, attempt(subject)));
    assert.deepEqual(
      all.map(({ clientOrderId, state }) => `${clientOrderId} ${state}`),
      ['contract-4 canceled'],
    );
    assert.deepEqual(await collect(subject.adapter.history(subject.venueNow(), attempt(subject))), []);
  },
  'never takes the cancel of an order that is not there for done': async (subject) => {
    const verdict = await subject.adapter.cancel({ symbol: subject.symbol, clientOrderId: 'contract-none' }, attempt(subject));
    assert.notEqual(verdict.kind, 'accepted');
  },
  'says rejected for an order that the account can not pay, and makes none': async (subject) => {
    const verdict = await subject.adapter.place({ ...market(subject), qty: subject.unaffordableQty }, 'contract-5', attempt(subject));
    assert.equal(verdict.kind, 'rejected');
    assert.equal(await find(subject, 'contract-5'), 'not_found');
  },
  'says rejected for a symbol that the venue does not list': async (subject) => {
    assert.equal((await subject.adapter.place({ ...market(subject), symbol: 'NOSUCH/THING' }, 'contract-6', attempt(subject))).kind, 'rejected');
  },
  'keeps to what it says of client order ids': async (subject) => {
    const { clientId } = subject.adapter.capabilities;
    assert.ok(clientId.maxLength >= 16, 'an id needs room for 80 random bits');
    await accepted(subject.adapter.place(resting(subject), 'contract-7', attempt(subject)));
    const again = await subject.adapter.place(resting(subject), 'contract-7', attempt(subject));
    assert.equal(again.kind, clientId.unique === 'none' ? 'accepted' : 'duplicate');
    if (clientId.unique === 'none') return;
    await accepted(subject.adapter.cancel({ symbol: subject.symbol, clientOrderId: 'contract-7' }, attempt(subject)));
    const after = await subject.adapter.place(resting(subject), 'contract-7', attempt(subject));
    assert.equal(after.kind, clientId.unique === 'forever' ? 'duplicate' : 'accepted');
  },
  'costs only limits that it declares, and every write something where there are limits': async ({ adapter }) => {
    const declared = adapter.limits.map(({ id }) => id);
    assert.equal(new Set(declared).size, declared.length, 'no two limits share an id');
    for (const operation of ['place', 'cancel', 'find', 'openOrders', 'history', 'fills', 'serverTime']) {
      for (const { limit, units } of adapter.cost(operation)) {
        assert.ok(declared.includes(limit), `${operation} costs ${limit}, which is not declared`);
        assert.ok(units > 0);
      }
    }
    if (declared.length > 0) assert.ok(adapter.cost('place').length > 0);
    return Promise.resolve();
  },
};

const proofRules: Rules = {
  'sends nothing for a signal that has aborted': async (subject) => {
    const signal = AbortSignal.abort(new Error('too late'));
    const kind = await subject.adapter.place(resting(subject), 'contract-8', attempt(subject, { signal })).then(
      (verdict) => verdict.kind,
      () => 'threw',
    );
    assert.notEqual(kind, 'accepted');
    assert.equal(await find(subject, 'contract-8'), 'not_found');
  },
  'has the venue refuse what arrives after its fence, and asks for the clock': async (subject) => {
    const { fence } = subject.adapter.capabilities;
    if (fence === undefined) return;
    const late = attempt(subject, { venueNow: subject.venueNow() - fence.defaultMs - 10_000, fenceMs: fence.defaultMs });
    const verdict = await subject.adapter.place(resting(subject), 'contract-9', late);
    assert.equal(verdict.kind, subject.lateVerdict ?? 'refused');
    if (verdict.kind === 'refused') assert.equal(verdict.resyncClock, true);
    assert.equal(await find(subject, 'contract-9'), 'not_found');
  },
  'tells the venue’s time': async (subject) => {
    if (subject.adapter.serverTime === undefined) return;
    const before = subject.venueNow();
    const time = await subject.adapter.serverTime(attempt(subject));
    const { timeStepMs = 1 } = subject;
    assert.ok(time >= before - timeStepMs && time <= subject.venueNow() + 1, `serverTime gave ${time}, between ${before} and ${subject.venueNow()}`);
  },
  'never says more than it knows when a request or its answer is lost': async (subject) => {
    if (subject.loseNextPlace === undefined) return;
    for (const what of ['request', 'answer'] as const) {
      subject.loseNextPlace(what);
      const controller = new AbortController();
      const kind = subject.adapter.place(resting(subject), `contract-${what}`, attempt(subject, { signal: controller.signal })).then(
        (verdict) => verdict.kind,
        () => 'threw' as const,
      );
      await subject.passTime(ATTEMPT_MS);
      controller.abort(new Error('the attempt has timed out'));
      const seen = await kind;
      assert.ok(seen === 'threw' || seen === 'unknown', `a lost ${what} is an unknown outcome, got ${seen}`);
      assert.equal(await find(subject, `contract-${what}`).then((order) => order === 'not_found'), what === 'request');
    }
  },
  'throws when a lookup fails: a failed read is no miss': async (subject) => {
    if (subject.failNextFind === undefined) return;
    await accepted(subject.adapter.place(resting(subject), 'contract-10', attempt(subject)));
    subject.failNextFind();
    await assert.rejects(async () => subject.adapter.find({ symbol: subject.symbol, clientOrderId: 'contract-10' }, attempt(subject)));
    assert.equal((await found(subject, 'contract-10')).state, 'working');
  },
};

const streamRules: Rules = {
  'opens its stream with synced and shows what happens, numbered without gaps where it numbers': async (subject) => {
    const { adapter } = subject;
    if (adapter.events === undefined) return;
    const controller = new AbortController();
    const seen: VenueEvent[] = [];
    const reading = (async () => {
      for await (const event of adapter.events?.(controller.signal) ?? []) seen.push(event);
    })().catch((error: unknown) => error);
    await subject.passTime(1_000);
    const { venueOrderId } = await accepted(adapter.place(market(subject), 'contract-11', attempt(subject)));
    await subject.passTime(5_000);
    controller.abort(new Error('seen enough'));
    await reading;
    assert.equal(seen[0]?.kind, 'synced');
    const filled = seen.some((event) => event.kind === 'order' && event.order.venueOrderId === venueOrderId && event.order.state === 'filled');
    assert.ok(filled, 'the stream must show that the order filled');
    if (!adapter.capabilities.streamSequenced) return;
    const numbers = seen.flatMap((event) => (event.kind === 'order' || event.kind === 'fill' ? [event.seq] : []));
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => i + 1),
    );
  },
};
