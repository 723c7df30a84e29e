import { describe, expect, it } from 'vitest';
import type { VenueEvent } from '../../../src/contracts/broker.js';
import { isVenueKitError } from '../../../src/core/errors.js';
import { acceptedOrder, anIntent, aRestingBuy, collect, givenVenue, START } from './given.js';

const REF = { symbol: 'BTC/USDT', clientOrderId: 'a' };

describe('simulatedBroker: the decision table', () => {
  it.each(['before', 'after'] as const)(
    'answers with nothing but the caller’s own abort when a message is dropped %s the venue acts',
    async (when) => {
      const { venue, broker, attempt } = givenVenue();
      venue.fault({ operation: 'place', when, kind: 'drop' });
      const controller = new AbortController();
      const placed = broker.place(anIntent(), 'a', attempt({ signal: controller.signal }));
      controller.abort(new Error('attempt timed out'));
      await expect(placed).rejects.toThrow('attempt timed out');
      expect(venue.orders()).toHaveLength(when === 'after' ? 1 : 0);
    },
  );

  it('says unknown when the silence ends by itself, with the end of the fence', async () => {
    const { clock, venue, broker, attempt } = givenVenue();
    venue.fault({ operation: 'place', when: 'after', kind: 'drop', ms: 10_000 });
    const placed = broker.place(anIntent(), 'a', attempt({ fenceMs: 2_000 }));
    await clock.advance(10_000);
    expect(await placed).toMatchObject({ kind: 'unknown', fenceUntil: START + 2_000 });
  });

  it.each([
    ['reset', {}, 'unknown'],
    ['html', {}, 'unknown'],
    ['half_body', {}, 'unknown'],
    ['status', { status: 503 }, 'unknown'],
    ['status', { status: 504, code: -1007 }, 'unknown'],
    ['status', { status: 408, code: -1007 }, 'unknown'],
  ] as const)('says unknown for %s %j, on both sides of the venue', async (kind, more, verdict) => {
    for (const when of ['before', 'after'] as const) {
      const { venue, broker, attempt } = givenVenue();
      venue.fault({ operation: 'place', when, kind, times: 1, ...more });
      expect((await broker.place(anIntent(), 'a', attempt())).kind).toBe(verdict);
      expect(venue.orders()).toHaveLength(when === 'after' ? 1 : 0);
    }
  });

  it.each([
    [
      { kind: 'status', status: 429, ms: 3_000 },
      { kind: 'refused', retryAfterMs: 3_000 },
    ],
    [{ kind: 'status', status: 429 }, { kind: 'refused' }],
    [
      { kind: 'status', status: 400, code: -1021 },
      { kind: 'refused', resyncClock: true },
    ],
    [
      { kind: 'status', status: 400, code: -1013 },
      { kind: 'rejected', code: '-1013' },
    ],
    [
      { kind: 'ban', ms: 5_000 },
      { kind: 'refused', ban: true, retryAfterMs: 5_000 },
    ],
    [{ kind: 'reject' }, { kind: 'rejected', code: 'REJECTED' }],
  ] as const)('answers %j with %j and never acts', async (fault, verdict) => {
    const { venue, broker, attempt } = givenVenue();
    venue.fault({ operation: 'place', when: 'before', ...fault });
    expect(await broker.place(anIntent(), 'a', attempt())).toMatchObject(verdict);
    expect(venue.orders()).toEqual([]);
  });

  it('accepts an order and takes it back later', async () => {
    const { clock, venue, broker, attempt } = givenVenue();
    venue.fault({ operation: 'place', when: 'after', kind: 'reject', ms: 500 });
    expect(acceptedOrder(await broker.place(aRestingBuy(), 'a', attempt())).state).toBe('working');
    await clock.advance(500);
    expect(venue.orders()[0]?.state).toBe('rejected');
  });

  it('delivers a request twice: two fills where the id is free again, a duplicate where it is not', async () => {
    const { venue, broker, attempt } = givenVenue();
    venue.fault({ operation: 'place', when: 'before', kind: 'duplicate' });
    expect((await broker.place(anIntent(), 'a', attempt())).kind).toBe('accepted');
    expect(venue.orders().map(({ state }) => state)).toEqual(['filled', 'filled']);
    venue.clearFaults();
    venue.fault({ operation: 'place', when: 'after', kind: 'duplicate' });
    expect((await broker.place(aRestingBuy(), 'b', attempt())).kind).toBe('duplicate');
    expect(venue.orders()).toHaveLength(3);
  });

  it('regression: of an order over an amount of money nothing was known but its quantity, which is 0', async () => {
    const { venue, broker, attempt } = givenVenue();
    const money = anIntent({ qty: '0', quoteQty: '1000.00' });
    const order = acceptedOrder(await broker.place(money, 'spend', attempt()));
    // At the ask of 50,000 and half a spread, in steps of 0.0001.
    expect(order).toMatchObject({ state: 'filled', qty: '0.0199', quoteQty: '1000', filledQty: '0.0199' });
    expect(await broker.find({ symbol: 'BTC/USDT', clientOrderId: 'spend' }, attempt())).toMatchObject({ quoteQty: '1000' });
    const rest = anIntent({ side: 'sell', qty: '0', quoteQty: '500' });
    expect(acceptedOrder(await broker.place(rest, 'raise', attempt()))).toMatchObject({ state: 'filled', quoteQty: '500', filledQty: '0.01' });
    expect(venue.log().filter(({ type }) => type === 'order.accepted')).toMatchObject([
      { body: { qty: '0.0199', quoteQty: '1000' } },
      { body: { quoteQty: '500' } },
    ]);
  });

  it.each([
    [{ qty: '0.01', quoteQty: '1000' }, /qty must be "0" where quoteQty is given, got 0\.01/],
    [{ qty: '0', quoteQty: '-5' }, /quoteQty must be a decimal above 0, got -5/],
    [{ qty: '0', quoteQty: '1e3' }, /quoteQty must be a decimal above 0, got 1e3/],
    [{ qty: '0', quoteQty: '0.000' }, /quoteQty must be a decimal above 0/],
    [{ qty: '0', quoteQty: '1' }, /qty must be a multiple of 0\.0001 above 0, got 1 to spend/],
    [{ qty: '0', quoteQty: '9'.repeat(30) }, /to spend/],
  ])('refuses the amount of money in %j', async (over, words) => {
    const { venue, broker, attempt } = givenVenue();
    const verdict = await broker.place(anIntent(over), 'spend', attempt());
    expect(verdict).toMatchObject({ kind: 'rejected', cause: { message: expect.stringMatching(words) as string } });
    expect(venue.orders()).toEqual([]);
  });

  it('refuses a request that arrives after its fence, in the venue’s time', async () => {
    const { clock, venue, broker, attempt } = givenVenue();
    venue.fault({ operation: 'place', when: 'before', kind: 'delay', ms: 2_001, times: 1 });
    const late = broker.place(anIntent(), 'a', attempt({ fenceMs: 2_000 }));
    await clock.advance(2_001);
    expect(await late).toMatchObject({ kind: 'refused', resyncClock: true });
    venue.fault({ operation: 'place', when: 'before', kind: 'delay', ms: 2_000, times: 1 });
    const inTime = broker.place(anIntent(), 'a', attempt({ fenceMs: 2_000 }));
    await clock.advance(2_000);
    expect((await inTime).kind).toBe('accepted');
  });

  it('lets a request arrive although its caller gave up', async () => {
    const { clock, venue, broker, attempt } = givenVenue();
    venue.fault({ operation: 'place', when: 'before', kind: 'delay', ms: 1_000 });
    const controller = new AbortController();
    const placed = broker.place(anIntent(), 'a', attempt({ signal: controller.signal }));
    controller.abort(new Error('gave up'));
    await expect(placed).rejects.toThrow('gave up');
    expect(venue.orders()).toEqual([]);
    await clock.advance(1_000);
    expect(venue.orders()).toHaveLength(1);
  });

  it('sends nothing for a signal that has aborted already', async () => {
    const { venue, broker, attempt } = givenVenue();
    await expect(broker.place(anIntent(), 'a', attempt({ signal: AbortSignal.abort(new Error('no')) }))).rejects.toThrow('no');
    expect(venue.orders()).toEqual([]);
  });

  it('refuses what is signed by a clock that is off, until the skew ends', async () => {
    const { venue, broker, attempt } = givenVenue();
    const skew = venue.fault({ when: 'before', kind: 'clock_skew', ms: 30_000 });
    expect(await broker.place(anIntent(), 'a', attempt({ fenceMs: 5_000 }))).toMatchObject({ kind: 'refused', resyncClock: true });
    expect(await broker.serverTime!(attempt())).toBe(START + 30_000);
    skew[Symbol.dispose]();
    expect((await broker.place(anIntent(), 'a', attempt({ fenceMs: 5_000 }))).kind).toBe('accepted');
    const drifting = venue;
    drifting.setClock({ skewMs: -2_000 });
    expect(await broker.place(anIntent(), 'b', attempt({ fenceMs: 5_000 }))).toMatchObject({ kind: 'refused', resyncClock: true });
  });

  it('takes about the latency that it was given', async () => {
    const { clock, broker, attempt } = givenVenue({ latency: { p50Ms: 40, p99Ms: 200 } });
    const times: number[] = [];
    for (let i = 0; i < 1_000; i++) {
      const from = clock.monotonic();
      void broker.serverTime!(attempt()).then(() => times.push(clock.monotonic() - from));
      await clock.advance(500);
    }
    times.sort((a, b) => a - b);
    expect(times).toHaveLength(1_000);
    expect(times[500]).toBeGreaterThan(36);
    expect(times[500]).toBeLessThan(44);
    expect(times[990]).toBeGreaterThan(140);
    expect(times[990]).toBeLessThan(320);
  });

  it('ends a fault after its number of times, or when it is disposed', async () => {
    const { venue, broker, attempt } = givenVenue();
    venue.fault({ operation: 'place', when: 'before', kind: 'reset', times: 2 });
    const kinds = [];
    for (let i = 0; i < 3; i++) kinds.push((await broker.place(anIntent(), `a${i}`, attempt())).kind);
    expect(kinds).toEqual(['unknown', 'unknown', 'accepted']);
    const fault = venue.fault({ operation: 'place', when: 'before', kind: 'reset' });
    fault[Symbol.dispose]();
    expect((await broker.place(anIntent(), 'z', attempt())).kind).toBe('accepted');
  });

  it.each([
    [{ when: 'before', kind: 'dorp' }, /fault\.kind.*"dorp"/],
    [{ when: 'before', kind: 'drop', operation: 'plase' }, /fault\.operation.*"plase"/],
    [{ when: 'before', kind: 'drop', probability: 2 }, /fault\.probability.*2/],
    [{ when: 'before', kind: 'clock_skew' }, /fault\.ms/],
    [{ when: 'before', kind: 'stale_read' }, /fault\.ms.*visibilityLagMs/],
  ])('refuses a fault that would never strike: %j', (fault, message) => {
    expect(() => givenVenue().venue.fault(fault as never)).toThrow(message);
  });
});

describe('simulatedBroker: lookups', () => {
  it('finds orders by client id, in the open list, in the history, and their fills', async () => {
    const { clock, broker, attempt } = givenVenue();
    await broker.place(aRestingBuy(), 'a', attempt());
    await clock.advance(10);
    await broker.place(anIntent(), 'b', attempt());
    expect(await broker.find(REF, attempt())).toMatchObject({ clientOrderId: 'a', state: 'working' });
    expect(await broker.find({ ...REF, clientOrderId: 'zzz' }, attempt())).toBe('not_found');
    expect((await collect(broker.openOrders(attempt()))).map(({ clientOrderId }) => clientOrderId)).toEqual(['a']);
    expect((await collect(broker.history(START, attempt()))).map(({ clientOrderId }) => clientOrderId)).toEqual(['a', 'b']);
    expect((await collect(broker.history(START + 10, attempt()))).map(({ clientOrderId }) => clientOrderId)).toEqual(['b']);
    expect((await collect(broker.fills(START, attempt()))).map(({ clientOrderId }) => clientOrderId)).toEqual(['b']);
  });

  it('shows in the history each order once, at its last change', async () => {
    const { clock, broker, attempt } = givenVenue();
    await broker.place(aRestingBuy(), 'a', attempt());
    await clock.advance(5);
    await broker.cancel(REF, attempt());
    expect(await collect(broker.history(START, attempt()))).toMatchObject([{ state: 'canceled', venueTime: START + 5 }]);
  });

  it('shows the past in a stale read, in every lookup', async () => {
    const { clock, venue, broker, attempt } = givenVenue({ visibilityLagMs: 3_000, staleReadRatio: 0 });
    await broker.place(aRestingBuy(), 'a', attempt());
    await clock.advance(1_000);
    venue.fault({ when: 'before', kind: 'stale_read' });
    expect(await broker.find(REF, attempt())).toBe('not_found');
    expect(await collect(broker.openOrders(attempt()))).toEqual([]);
    expect(await collect(broker.history(START, attempt()))).toEqual([]);
    await clock.advance(2_000);
    await broker.cancel(REF, attempt());
    expect(await broker.find(REF, attempt())).toMatchObject({ state: 'working' });
    expect(await collect(broker.openOrders(attempt()))).toMatchObject([{ state: 'working' }]);
    await clock.advance(3_000);
    expect(await broker.find(REF, attempt())).toMatchObject({ state: 'canceled' });
    expect(await collect(broker.openOrders(attempt()))).toEqual([]);
  });

  it('never shows anything older than the visibility lag by itself, and does show something old', async () => {
    const { clock, broker, attempt } = givenVenue({ visibilityLagMs: 1_000 });
    let misses = 0;
    for (let i = 0; i < 200; i++) {
      await broker.place(anIntent(), `a${i}`, attempt());
      await clock.advance(300);
      if ((await broker.find({ ...REF, clientOrderId: `a${i}` }, attempt())) === 'not_found') misses++;
      await clock.advance(700);
      expect(await broker.find({ ...REF, clientOrderId: `a${i}` }, attempt())).not.toBe('not_found');
    }
    expect(misses).toBeGreaterThan(20);
    expect(misses).toBeLessThan(80);
  });

  it('throws for a failed read, and never says not_found', async () => {
    const { venue, broker, attempt } = givenVenue();
    venue.fault({ operation: 'find', when: 'before', kind: 'status', status: 500 });
    await expect(broker.find(REF, attempt())).rejects.toSatisfy((error) => isVenueKitError(error, 'OUTCOME_UNKNOWN'));
    venue.fault({ operation: 'openOrders', when: 'before', kind: 'reset' });
    await expect(collect(broker.openOrders(attempt()))).rejects.toSatisfy((error) => isVenueKitError(error));
  });

  it('keeps accounts apart', async () => {
    const { venue, broker, attempt } = givenVenue();
    const { simulatedBroker } = await import('../../../src/testing/index.js');
    const other = simulatedBroker(venue, { account: 'other' });
    await broker.place(aRestingBuy(), 'a', attempt());
    expect(await other.find(REF, attempt())).toBe('not_found');
    expect((await other.place(aRestingBuy(), 'a', attempt())).kind).toBe('accepted');
    expect(venue.orders()).toHaveLength(2);
    expect(venue.orders('other')).toHaveLength(1);
  });
});

describe('simulatedBroker: limits', () => {
  const limits = [{ id: 'orders', scope: 'account', kind: 'window', units: 3, perMs: 1_000 }] as const;

  it('refuses what is over a sliding window, says how long to wait, and lets in what waited', async () => {
    const { clock, broker, attempt } = givenVenue({ limits });
    const seen: unknown[] = [];
    broker.observe!((one) => seen.push(one));
    for (let i = 0; i < 3; i++) {
      await broker.place(anIntent(), `a${i}`, attempt());
      await clock.advance(100);
    }
    expect(await broker.place(anIntent(), 'b', attempt())).toMatchObject({ kind: 'refused', retryAfterMs: 700 });
    expect(seen.at(-1)).toEqual({ limit: 'orders', used: 3, remaining: 0, blockedUntil: clock.now() + 700 });
    await clock.advance(700);
    expect((await broker.place(anIntent(), 'b', attempt())).kind).toBe('accepted');
    expect(broker.cost('place')).toEqual([{ limit: 'orders', units: 1 }]);
    expect(broker.cost('find')).toEqual([]);
  });

  it('bans who goes on all the same, for longer each time', async () => {
    const { clock, venue, broker, attempt } = givenVenue({ limits, bans: { afterIgnored: 5, firstMs: 10_000, longestMs: 1e9 } });
    const hammer = async () => {
      for (;;) {
        const verdict = await broker.place(anIntent(), 'x', attempt());
        if (verdict.kind === 'refused' && verdict.ban === true) return verdict.retryAfterMs;
      }
    };
    expect(await hammer()).toBe(10_000);
    await expect(broker.find(REF, attempt())).rejects.toSatisfy((error) => isVenueKitError(error, 'BANNED'));
    await clock.advance(10_000);
    expect(await broker.find(REF, attempt())).toBe('not_found');
    expect(await hammer()).toBe(20_000);
    expect(venue.stats().bans).toBe(2);
  });

  it('lets a decaying counter drain', async () => {
    const { clock, broker, attempt } = givenVenue({ limits: [{ id: 'c', scope: 'symbol', kind: 'decay', max: 2, decayPerSecond: 0.5 }] });
    await broker.place(anIntent(), 'a', attempt());
    await broker.place(anIntent(), 'b', attempt());
    expect(await broker.place(anIntent(), 'c', attempt())).toMatchObject({ kind: 'refused', retryAfterMs: 2_000 });
    await clock.advance(2_000);
    expect((await broker.place(anIntent(), 'c', attempt())).kind).toBe('accepted');
  });
});

describe('simulatedBroker: streams', () => {
  const givenStream = async (options = {}) => {
    const given = givenVenue(options);
    const controller = new AbortController();
    const seen: VenueEvent[] = [];
    const ended = (async () => {
      for await (const event of given.broker.events!(controller.signal)) seen.push(event);
    })().catch((error: Error) => error);
    await given.clock.advance(1_000);
    const sequences = () => seen.flatMap((event) => ('seq' in event ? [event.seq] : []));
    return { ...given, seen, ended, controller, sequences };
  };

  it('opens with synced and numbers what follows', async () => {
    const { clock, broker, attempt, seen, controller, ended } = await givenStream();
    await broker.place(anIntent(), 'a', attempt());
    await clock.advance(0);
    expect(seen.map(({ kind }) => kind)).toEqual(['synced', 'fill', 'order']);
    expect(seen[2]).toMatchObject({ seq: 2, order: { state: 'filled' } });
    controller.abort(new Error('enough'));
    expect(await ended).toMatchObject({ message: 'enough' });
  });

  it.each([
    ['stream_gap', [2, 3, 4]],
    ['stream_duplicate', [1, 1, 2, 3, 4]],
    ['stream_reorder', [2, 1, 3, 4]],
  ] as const)('%s gives %j', async (kind, expected) => {
    const { clock, venue, broker, attempt, sequences } = await givenStream();
    venue.fault({ operation: 'events', when: 'after', kind, times: 1 });
    await broker.place(anIntent(), 'a', attempt());
    await broker.place(anIntent(), 'b', attempt());
    await clock.advance(1_000);
    expect(sequences()).toEqual(expected);
  });

  it('stalls in silence and then sends everything at once', async () => {
    const { clock, venue, broker, attempt, sequences } = await givenStream();
    venue.fault({ operation: 'events', when: 'after', kind: 'stream_stall', ms: 5_000, times: 1 });
    await broker.place(anIntent(), 'a', attempt());
    await clock.advance(4_999);
    expect(sequences()).toEqual([]);
    await clock.advance(1);
    expect(sequences()).toEqual([1, 2]);
  });

  it('is cut, loses what happens meanwhile, and begins anew with the next one', async () => {
    const { clock, venue, broker, attempt, ended } = await givenStream();
    venue.fault({ operation: 'events', when: 'after', kind: 'stream_drop', times: 1 });
    await broker.place(anIntent(), 'a', attempt());
    expect(await ended).toMatchObject({ code: 'STREAM_LOST' });
    await broker.place(anIntent(), 'b', attempt());
    const again: VenueEvent[] = [];
    void (async () => {
      for await (const event of broker.events!(new AbortController().signal)) again.push(event);
    })();
    await clock.advance(0);
    await broker.place(anIntent(), 'c', attempt());
    await clock.advance(0);
    expect(again).toMatchObject([{ kind: 'synced' }, { kind: 'fill', clientOrderId: 'c', seq: 1 }, { kind: 'order', seq: 2 }]);
  });

  it('streams quotes with sequence numbers, and heartbeats while nothing moves', async () => {
    const { clock, broker } = givenVenue({ volatility: 0.01 });
    const controller = new AbortController();
    const updates: { seq?: number; previousSeq?: number }[] = [];
    void (async () => {
      for await (const update of broker.stream!('quote', ['BTC/USDT'], controller.signal)) updates.push(update);
    })().catch(() => {});
    await clock.advance(3_000);
    expect(updates.map(({ previousSeq, seq }) => [previousSeq, seq])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
    controller.abort();
    const still = givenVenue();
    const beats: unknown[] = [];
    void (async () => {
      for await (const update of still.broker.stream!('quote', ['BTC/USDT'], new AbortController().signal)) beats.push(update);
    })();
    await still.clock.advance(1_000);
    expect(beats).toMatchObject([{ seq: 1 }, { heartbeat: true }]);
  });
});

describe('simulatedBroker: market data', () => {
  it('answers many symbols in one call, each by itself', async () => {
    const { broker, attempt } = givenVenue();
    const reads = await broker.fetch('quote', [{ symbol: 'BTC/USDT' }, { symbol: 'NOPE' }], attempt());
    expect(reads).toMatchObject([{ status: 'fulfilled', value: { bid: 49_997.5, ask: 50_002.5, eventTime: START } }, { status: 'rejected' }]);
    expect(reads[1]?.status === 'rejected' && isVenueKitError(reads[1].reason, 'UNKNOWN_SYMBOL')).toBe(true);
    await expect(broker.fetch('book', [{ symbol: 'BTC/USDT' }, { symbol: 'BTC/USDT' }], attempt())).rejects.toThrow(/at most 1/);
  });

  it('gives bars, a book, trades and an instrument that agree with the quote', async () => {
    const { broker, attempt } = givenVenue();
    const [book] = await broker.fetch('book', [{ symbol: 'BTC/USDT', depth: 5 }], attempt());
    expect(book?.status === 'fulfilled' && [book.value.bids[0]![0], book.value.asks[0]![0], book.value.bids.length]).toEqual([49_997.5, 50_002.5, 5]);
    const [bars] = await broker.fetch('bars', [{ symbol: 'BTC/USDT', interval: '5m', limit: 10 }], attempt());
    expect(bars?.status === 'fulfilled' && [bars.value.t.length, bars.value.t[9], bars.value.close[9]]).toEqual([10, START, 50_000]);
    const [trades] = await broker.fetch('trades', [{ symbol: 'BTC/USDT', limit: 3 }], attempt());
    expect(trades?.status === 'fulfilled' && trades.value.map(({ eventTime }) => eventTime)).toEqual([START - 2_000, START - 1_000, START]);
    const [instrument] = await broker.fetch('instrument', [{ symbol: 'BTC/USDT' }], attempt());
    expect(instrument).toEqual({ status: 'fulfilled', value: { symbol: 'BTC/USDT', priceStep: '0.01', qtyStep: '0.0001' } });
    const [bad] = await broker.fetch('bars', [{ symbol: 'BTC/USDT', interval: '5x' }], attempt());
    expect(bad).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('5x') } });
  });

  it('gives recorded bars as they were recorded', async () => {
    const { clock, venue, broker, attempt } = givenVenue();
    const bars = Array.from({ length: 30 }, (_, i) => ({
      t: START + i * 60_000,
      symbol: 'BTC/USDT',
      open: 100 + i,
      high: 102 + i,
      low: 99 + i,
      close: 101 + i,
      volume: i,
    }));
    venue.replay(bars);
    await clock.advance(20 * 60_000);
    const [minutes] = await broker.fetch('bars', [{ symbol: 'BTC/USDT', interval: '1m', limit: 4 }], attempt());
    const m = minutes?.status === 'fulfilled' ? minutes.value : undefined;
    expect([...m!.t]).toEqual([17, 18, 19, 20].map((i) => START + i * 60_000));
    expect([m!.open[2], m!.high[2], m!.low[2], m!.close[2], m!.volume[2]]).toEqual([119, 121, 118, 120, 19]);
    const [fives] = await broker.fetch('bars', [{ symbol: 'BTC/USDT', interval: '5m', since: START + 1, limit: 2 }], attempt());
    const f = fives?.status === 'fulfilled' ? fives.value : undefined;
    expect([...f!.t]).toEqual([START + 300_000, START + 600_000]);
    expect([f!.open[0], f!.high[0], f!.low[0], f!.close[0], f!.volume[0]]).toEqual([105, 111, 104, 110, 5 + 6 + 7 + 8 + 9]);
  });
});
