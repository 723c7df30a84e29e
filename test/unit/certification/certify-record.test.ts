import { describe, expect, it } from 'vitest';
import { checks } from '../../../src/certification/checks.js';
import { certifyRecord, isUntouched, type RecordedJournal } from '../../../src/certification/index.js';
import { MemoryMetricStore } from '../../../src/metrics/index.js';
import { givenDesk } from '../../workload/given-desk.js';

type Records = Awaited<ReturnType<RecordedJournal['intents'] extends () => AsyncIterable<infer R> ? () => Promise<R> : never>>;

const journalOf = (intents: readonly (readonly string[])[], damage: readonly string[] = []): RecordedJournal => ({
  async *intents() {
    for (const types of intents) yield types.map((type) => ({ type, body: {} })) as unknown as Records;
  },
  integrity: async () => damage,
});

async function certified(journal?: RecordedJournal, isCalm = true) {
  await using desk = await givenDesk({ seconds: 120, isCalm });
  return certifyRecord({ store: desk.store, ...(journal === undefined ? {} : { journal }) }, { from: desk.from, to: desk.now() });
}

describe('certifyRecord', () => {
  it('judges what a record shows, names each check that needs a live kit, and never gives a level', async () => {
    const report = await certified();
    expect(report).toMatchObject({ partial: true, ready: false });
    expect(report).not.toHaveProperty('level');
    const judged = report.categories.flatMap((category) => category.checks.map(({ id }) => id));
    expect(judged).toEqual(expect.arrayContaining(['performance.recorded-objectives', 'integration.recorded-limits', 'production.recorded-alerts']));
    const leftOut = report.leftOut.map(({ id }) => id);
    expect(leftOut).toEqual(expect.arrayContaining(checks.map(({ id }) => id)));
    expect(report.leftOut.find(({ id }) => id === 'integration.recorded-orders')?.why).toMatch(/no order was placed/);
    expect(report.leftOut.find(({ id }) => id === 'production.recorded-journal')?.why).toMatch(/no journal of the run/);
    expect(report.leftOut.find(({ id }) => id === 'production.recorded-retention')?.why).toMatch(/are to be dropped after 12 h/);
    expect(isUntouched(report)).toBe(true);
  });

  it.each([
    ['nothing in it', journalOf([]), /^0 intents/],
    ['an intent in doubt', journalOf([['settled'], ['prepared', 'sending']]), /2 intents, 1 not over/],
    ['damage', journalOf([['settled']], ['page 7 is torn']), /page 7 is torn/],
  ])('fails a journal with %s', async (_, journal, measured) => {
    const report = await certified(journal);
    const check = report.categories.flatMap((category) => category.checks).find(({ id }) => id === 'production.recorded-journal');
    expect(check).toMatchObject({ passed: false, critical: true, measured: expect.stringMatching(measured) as string });
  });

  it('passes a journal that is whole and over', async () => {
    const report = await certified(journalOf([['settled'], ['halt']]));
    const check = report.categories.flatMap((category) => category.checks).find(({ id }) => id === 'production.recorded-journal');
    expect(check).toMatchObject({ passed: true, measured: '1 intents, 0 not over, no damage' });
  });

  it('does not take a block for the fault of the kit where the venue tells nothing of what was used', async () => {
    await using desk = await givenDesk({ seconds: 120, isCalm: true });
    const shared = { from: desk.from, to: desk.now() };
    const judged = async (more: Readonly<Record<string, number>>) => {
      await using store = new MemoryMetricStore();
      const series = [...Object.keys(more), 'venuekit_venue_calls_total', 'venuekit_process_uptime_seconds'].map((name) => ({
        name,
        labels: { limit: 'weight', outcome: 'ok' },
      }));
      for (let t = shared.from; t <= shared.to; t += 1_000) {
        const seconds = (t - shared.from) / 1_000;
        await store.append({
          t,
          series,
          values: Float64Array.from([...Object.values(more).map((v) => (seconds > 60 ? v : 0)), 10 * seconds, seconds]),
        });
      }
      const { categories, leftOut } = await certifyRecord({ store }, shared);
      const check = categories.flatMap(({ checks }) => checks).find(({ id }) => id === 'integration.recorded-limits');
      return check ?? leftOut.find(({ id }) => id === 'integration.recorded-limits');
    };
    const blocked = { venuekit_limit_blocks_total: 6, venuekit_limit_observations_total: 6 };
    expect(await judged(blocked)).toMatchObject({ why: expect.stringContaining('it blocked 6 times') as string });
    expect(await judged({ ...blocked, venuekit_limit_used_units: 90, venuekit_limit_remaining_units: 10 })).toMatchObject({
      passed: false,
      measured: expect.stringContaining('90 % used') as string,
    });
  });

  it("says how much is needed of a store with too little, and whose metrics are not venuekit's", async () => {
    await using empty = new MemoryMetricStore();
    const range = { from: 0, to: 60_000 };
    await expect(certifyRecord({ store: empty }, range)).rejects.toMatchObject({
      code: 'TOO_LITTLE_DATA',
      message: expect.stringMatching(/30 s are needed/) as string,
    });
    await empty.append({ t: 1_000, series: [{ name: 'node_cpu_seconds', labels: {} }], values: Float64Array.of(1) });
    await expect(certifyRecord({ store: empty }, range)).rejects.toMatchObject({ code: 'FOREIGN_METRICS' });
  });

  it('ends with what it has when it is interrupted', async () => {
    await using desk = await givenDesk({ seconds: 60, isCalm: true });
    const stop = new AbortController();
    const report = await certifyRecord(
      { store: desk.store },
      { from: desk.from, to: desk.now() },
      { signal: stop.signal, onProgress: () => stop.abort() },
    );
    expect(report.categories.flatMap((category) => category.checks)).toHaveLength(1);
    expect(report).not.toHaveProperty('level');
  });
});
