import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type CertificationReport, certify, isUntouched, renderCertification } from '../../../src/certification/index.js';
import { createVenueKit, type VenueKitOptions } from '../../../src/index.js';
import { SimulatedVenue, simulatedBroker } from '../../../src/testing/index.js';
import { mutants } from '../../certification/mutants.js';

const module = fileURLToPath(new URL('../../certification/mutants.ts', import.meta.url));

function givenOptions(): VenueKitOptions {
  const venue = new SimulatedVenue({
    fence: { maxMs: 60_000, defaultMs: 2_000 },
    visibilityLagMs: 400,
    limits: [
      { id: 'weight', scope: 'ip', kind: 'window', units: 6_000, perMs: 60_000 },
      { id: 'orders', scope: 'account', kind: 'window', units: 100, perMs: 10_000 },
    ],
  });
  const adapter = simulatedBroker(venue);
  return { broker: adapter, marketData: adapter, notifiers: [{ name: 'desk', notify: async () => {} }] };
}

async function givenAKit(options: VenueKitOptions = givenOptions()) {
  const kit = await createVenueKit(options);
  await kit.start();
  return kit;
}

describe('certify', () => {
  it('says what is wrong with a kit or an option', async () => {
    const unstarted = await createVenueKit(givenOptions());
    await expect(certify(unstarted)).rejects.toMatchObject({ code: 'NOT_STARTED', message: expect.stringContaining('kit.start()') as string });
    await unstarted.close();
    await expect(certify(unstarted)).rejects.toMatchObject({ code: 'CLOSED' });
    await using kit = await givenAKit();
    await expect(certify({ ...kit })).rejects.toThrow(/kit must be made by createVenueKit/);
    await expect(certify(kit, { durationMs: 5_000 })).rejects.toThrow(/durationMs must be at least 10000.*got 5000/);
    await expect(certify(kit, { seed: 1.5 })).rejects.toThrow(/seed must be a whole number/);
    await expect(certify(kit, { seeds: 1 } as never)).rejects.toThrow(/did you mean "seed"/);
    await expect(certify(kit, { withinMs: 0 })).rejects.toThrow(/withinMs must be .*got 0/);
    await expect(certify(kit, { only: ['production.disc'] })).rejects.toThrow(/only must name checks, got "production.disc"/);
    await expect(certify(kit, { create: { module: '/nowhere.mjs' } })).rejects.toMatchObject({ code: 'KIT_MODULE' });
    await expect(certify(kit, { create: { module, export: 'nothing' } })).rejects.toThrow(/exports no function nothing/);
    await using empty = await createVenueKit();
    await empty.start();
    await expect(certify(empty)).rejects.toThrow(/a broker or market data/);
  });

  it('leaves a partial report without a level when it is interrupted', async () => {
    await using kit = await givenAKit();
    const stop = new AbortController();
    const report = await certify(kit, {
      signal: stop.signal,
      durationMs: 10_000,
      onProgress: (done) => done === 2 && stop.abort(new Error('enough')),
    });
    expect(report).toMatchObject({ partial: true, ready: false });
    expect(report).not.toHaveProperty('level');
    expect(report.categories.flatMap(({ checks }) => checks)).toHaveLength(2);
    const page = new TextDecoder().decode(await renderCertification(report, { format: 'html' }));
    expect(page).toContain('not all checks were made');
  });

  it('does not hold against the kit what this machine had no time for: named, and no level', async () => {
    await using kit = await givenAKit();
    const report = await certify(kit, { only: ['component.events', 'integration.freshness'], withinMs: 1 });
    expect(report).toMatchObject({ partial: true, ready: false, categories: [] });
    expect(report).not.toHaveProperty('level');
    expect(report.notMeasured.map(({ id }) => id)).toEqual(['component.events', 'integration.freshness']);
    expect(report.notMeasured[1]?.why).toBe('the 0.001 s for all checks were over');
    const file = JSON.parse(new TextDecoder().decode(await renderCertification(report, { format: 'json' }))) as CertificationReport;
    expect(isUntouched(file)).toBe(true);
    expect(isUntouched({ ...file, notMeasured: [] })).toBe(false);
    expect(isUntouched({ ...file, seed: file.seed + 1 })).toBe(false);
    const page = new TextDecoder().decode(await renderCertification(report, { format: 'html' }));
    expect(page).toContain('integration.freshness was not measured');
    expect(page).toContain(report.signature.inputs);
    expect(page).toContain(report.signature.results);
  });

  it('leaves out what a kit has not got, and says so', async () => {
    const { broker: _, ...readsOnly } = givenOptions();
    await using kit = await givenAKit(readsOnly);
    const report = await certify(kit, { only: ['component.parts', 'integration.order-safety', 'production.durability'] });
    expect(report.leftOut).toEqual([
      { id: 'integration.order-safety', why: 'the kit has no broker' },
      { id: 'production.durability', why: 'the kit has no broker' },
    ]);
    expect(report.categories).toMatchObject([{ name: 'component', checks: [{ id: 'component.parts', passed: true }] }]);
  });

  it('never shows a secret of the options', async () => {
    const options = givenOptions();
    Object.assign(options.broker!, { apiKey: 'hidden-key' });
    await using kit = await givenAKit({ ...options, policy: { timeoutMs: 1_000 } });
    const report = await certify(kit, { only: ['production.limits-configured'] });
    expect(JSON.stringify(report)).not.toContain('hidden-key');
    expect(report.options).toMatchObject({ policy: { timeoutMs: 1_000 }, notifiers: ['desk'], broker: { venue: 'simulated' } });
  });
});

// The quick ones, in virtual time alone; `npm run soak` tries all of them on all checks.
const QUICK = [
  'conflictingPayloadTaken',
  'haltIgnored',
  'lostCancelTakenForDone',
  'journalWithoutLease',
  'costsUnderstated',
  'nothingReserved',
  'fetcherBroken',
  'timerLeftRunning',
  'closedInNameOnly',
  'secretsLogged',
  'clockOff',
  'openDashboard',
] as const;
const QUICK_CHECKS = [
  'component.parts',
  'component.closing',
  'component.reconciliation',
  'integration.idempotence',
  'integration.halt',
  'integration.limits',
  'integration.urgent-cancels',
  'production.clock-offset',
  'production.limits-configured',
  'production.single-writer',
];

/** What every one of them is held against beside its own; the rest is for the rounds that try all of them on all checks. */
const BESIDE = [
  'component.parts',
  'component.reconciliation',
  'integration.idempotence',
  'integration.halt',
  'production.clock-offset',
  'production.limits-configured',
  'production.single-writer',
];

async function failuresOf(name: string, only: readonly string[]): Promise<readonly string[]> {
  const mutant = mutants[name];
  const create = mutant?.create === undefined ? undefined : { module, export: mutant.create };
  const made =
    create === undefined
      ? createVenueKit
      : ((await import('../../certification/mutants.js')) as unknown as Record<string, typeof createVenueKit>)[create.export]!;
  await using kit = await made(givenOptions());
  await kit.start();
  const dashboard = mutant?.dashboard?.(kit);
  try {
    const report = await certify(kit, {
      only,
      durationMs: 10_000,
      ...(create === undefined ? {} : { create }),
      ...(dashboard === undefined ? {} : { dashboard }),
    });
    return report.categories.flatMap(({ checks }) => checks.filter(({ passed }) => !passed).map(({ id, measured }) => `${id}: ${measured}`));
  } finally {
    await dashboard?.[Symbol.asyncDispose]();
  }
}

describe('a kit that was broken on purpose', () => {
  it('is well where it was not: the quick checks find nothing', async () => {
    expect(await failuresOf('none', QUICK_CHECKS)).toEqual([]);
  });

  it('is not waited for without an end where reads are never answered from memory', async () => {
    expect(await failuresOf('cacheOff', ['performance.read-overhead'])).toEqual([
      'performance.read-overhead: a quote that was read before is asked of the venue again',
    ]);
  });

  it.each(QUICK)('fails what it must and nothing else: %s', async (name) => {
    const { fails, mayFail = [] } = mutants[name]!;
    const failed = (await failuresOf(name, [...new Set([...BESIDE, ...fails])])).map((line) => line.split(':')[0]!);
    expect(failed).toEqual(expect.arrayContaining([...fails]));
    expect(failed.filter((id) => !fails.includes(id) && !mayFail.includes(id))).toEqual([]);
  });
});
