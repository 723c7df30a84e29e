import { describe, expect, it } from 'vitest';
import type { Check, Finding } from '../../../src/certification/check.js';
import { durability } from '../../../src/certification/checks/durability.js';
import { errors } from '../../../src/certification/checks/errors.js';
import { limits } from '../../../src/certification/checks/limits.js';
import { notifiers } from '../../../src/certification/checks/notifiers.js';
import { orderSafety } from '../../../src/certification/checks/order-safety.js';
import { pools } from '../../../src/certification/checks/pools.js';
import { retention } from '../../../src/certification/checks/retention.js';
import type { AlertGroup, Notifier } from '../../../src/contracts/alerts.js';
import type { MetricStore } from '../../../src/contracts/metric-store.js';
import { systemClock } from '../../../src/core/clock.js';
import { MemoryOrderJournal } from '../../../src/stores/memory/memory-order-journal.js';

const signal = new AbortController().signal;
/** A check on what a trial is said to have come to. */
const found = async (check: Check, trials: Readonly<Record<string, unknown>>, more: object = {}): Promise<Finding> => {
  const asked = Object.fromEntries(Object.entries(trials).map(([name, result]) => [name, async () => result]));
  return (await check.run({ ground: { signal, seed: 1 }, ...more, ...asked } as never)) as Finding;
};

const HOSTILITY = { wanted: 360, intents: 360, struck: 300, duplicates: 0, orphans: 0, lost: 0, wronglyFilled: 0, escalated: 3, findings: [] };

describe('a check passes for nothing', () => {
  it.each([
    ['few orders', { intents: 300 }],
    ['few faults', { struck: 59 }],
    ['an order that is open there and over here', { orphans: 1 }],
  ])('order safety: not of %s', async (_, but) => {
    expect(await found(orderSafety, { hostility: HOSTILITY })).toMatchObject({ passed: true });
    expect(await found(orderSafety, { hostility: { ...HOSTILITY, ...but } })).toMatchObject({ passed: false });
  });

  it('errors: not where no fault has struck', async () => {
    const log = { reads: [{ tookMs: 1, at: 1 }], orders: [] };
    const session = { withKit: log, without: log, duplicates: { withKit: 0, without: 0 }, struck: 3 };
    expect(await found(errors, { session })).toMatchObject({ passed: true });
    expect(await found(errors, { session: { ...session, struck: 0 } })).toMatchObject({ passed: false });
  });

  it('limits: not where the bot came nowhere near them', async () => {
    const kept = { mostUsed: 0.8, refused: 0, bans: 0, sent: 140, cancelMs: 10 };
    expect(await found(limits, { limits: kept })).toMatchObject({ passed: true });
    expect(await found(limits, { limits: { ...kept, mostUsed: 0.1 } })).toMatchObject({ passed: false });
  });

  it('durability: not of a handful of intents, nor of a journal that no other process can open', async () => {
    const kills = { lives: 4, durable: 50, duplicates: 0, orphans: 0, lost: 0, wronglyFilled: 0, findings: [] };
    const trials = { hostility: { ...HOSTILITY, placements: 370, unjournalled: 0 }, rules: { haltAfterRestart: 'held' } };
    const host = { options: {} };
    expect(await found(durability, { ...trials, kills }, { host })).toMatchObject({ passed: true });
    expect(await found(durability, { ...trials, kills: { ...kills, durable: 9 } }, { host })).toMatchObject({ passed: false });
    const handedIn = { host: { options: { journal: new MemoryOrderJournal() } }, canMake: false };
    expect(await found(durability, { ...trials, kills }, handedIn)).toMatchObject({
      passed: false,
      measured: expect.stringContaining('name the function that makes the kit (create)') as string,
    });
    expect(await found(durability, { ...trials, kills }, { ...handedIn, canMake: true })).toMatchObject({ passed: true });
  });

  it('durability: not known where the machine did not get as far as running the processes', async () => {
    const kills = {
      lives: 1,
      durable: 0,
      duplicates: 0,
      orphans: 0,
      lost: 0,
      wronglyFilled: 0,
      heldUp: 'a process did not run within 60 s',
      findings: [],
    };
    const trials = { hostility: { ...HOSTILITY, placements: 370, unjournalled: 0 }, rules: { haltAfterRestart: 'held' }, kills };
    const host = { options: {} };
    expect(await found(durability, trials, { host })).toEqual({ notMeasured: 'a process did not run within 60 s' });
    // What was found beside them is found.
    expect(await found(durability, { ...trials, rules: { haltAfterRestart: 'forgotten' } }, { host })).toMatchObject({ passed: false });
  });

  it('notifiers: not without a drill, which each is handed, and its end', async () => {
    const told: AlertGroup[] = [];
    const pager: Notifier = { name: 'pager', notify: async (group) => void told.push(group) };
    const outage = { toldAfterS: new Map([['pager', 14]]), resolvedTold: new Set(['pager']) };
    const host = { options: { notifiers: [pager] } };
    expect(await found(notifiers, { outage }, { host, drill: false })).toMatchObject({
      passed: false,
      measured: expect.stringContaining('no drill was asked for') as string,
    });
    expect(told).toEqual([]);
    expect(await found(notifiers, { outage }, { host, drill: true })).toMatchObject({ passed: true });
    expect(told.map(({ status, alerts }) => [status, alerts[0]?.summary?.includes('drill')])).toEqual([
      ['firing', true],
      ['resolved', true],
    ]);
  });
});

describe('the check of pools', () => {
  const onBus = (pool: object) => ({ session: { told: { pools: new Map([['sessions', pool]]) } } });
  const withTuning = (pools: object | undefined) => ({ host: { kit: { tuning: { ...(pools === undefined ? {} : { pools }) } } } });

  it('is left out where no pool speaks and none is named', async () => {
    const silent = { session: { told: { pools: new Map() } } };
    expect(await found(pools, silent, withTuning(undefined))).toMatchObject({ leftOut: expect.stringContaining('(create)') as string });
  });

  it('fails a pool that keeps a connection after the session', async () => {
    expect(await found(pools, onBus({ inUse: 0, most: 4, leaks: 0 }), withTuning(undefined))).toMatchObject({ passed: true });
    expect(await found(pools, onBus({ inUse: 1, most: 4, leaks: 0 }), withTuning(undefined))).toMatchObject({ passed: false });
  });

  it('makes and uses the pools that tuning names', async () => {
    const silent = { session: { told: { pools: new Map() } } };
    expect(await found(pools, silent, withTuning({ sessions: { max: 3 } }))).toMatchObject({
      passed: true,
      measured: 'sessions: 0 in use in the end, 3 at most, 0 leaks told',
    });
    expect(await found(pools, silent, withTuning({ sessions: { min: 9, max: 3 } }))).toMatchObject({
      passed: false,
      measured: expect.stringMatching(/sessions: .*min/) as string,
    });
  });
});

describe('the check of retention, of a store that was handed in', () => {
  const HOUR_MS = 3_600_000;
  const storeOf = (more: Partial<MetricStore>, rawHours = 1): MetricStore =>
    ({
      stats: async () => ({ series: 200, points: 1_000_000, bytes: 2_000_000 }),
      query: async () => [{ labels: {}, t: Float64Array.of(systemClock.now() - rawHours * HOUR_MS, systemClock.now()), v: Float64Array.of(1, 2) }],
      ...more,
    }) as MetricStore;
  const policy = { rawMs: 6 * HOUR_MS, minuteMs: 24 * HOUR_MS, hourMs: 365 * 24 * HOUR_MS };
  const path = import.meta.filename;
  const judged = async (store: MetricStore) => found(retention, {}, { host: { kit: { store }, options: { store } } });

  it('passes one that says its file and what it drops, and holds no more', async () => {
    expect(await judged(storeOf({ path, retention: policy }))).toMatchObject({ passed: true });
  });

  it.each([
    ['says nothing', storeOf({}), /does not say in which file it is \(path\) or what it drops \(retention\)/],
    ['drops nothing', storeOf({ path }), /does not say what it drops/],
    ['keeps raw ticks for a week', storeOf({ path, retention: { ...policy, rawMs: 168 * HOUR_MS, minuteMs: 400 * HOUR_MS } }), /kept for 168 h/],
    ['holds what it says that it drops', storeOf({ path, retention: policy }, 20), /raw ticks of 20 h held/],
  ])('fails one that %s', async (_, store, measured) => {
    expect(await judged(store)).toMatchObject({ passed: false, measured: expect.stringMatching(measured) as string });
  });
});
