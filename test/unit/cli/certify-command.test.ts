import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/run.js';
import { MemoryMetricStore } from '../../../src/stores/memory/memory-metric-store.js';
import { MemoryOrderJournal } from '../../../src/stores/memory/memory-order-journal.js';
import { SimulatedVenue, simulatedBroker } from '../../../src/testing/index.js';
import { givenATerminal } from './terminal.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'venuekit-certify-command-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const certify = async (...args: string[]) => {
  const { output, terminal } = givenATerminal();
  const code = await run(['certify', ...args], terminal);
  return { ...output, code };
};
const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};

describe('venuekit certify', () => {
  it('prints JSON alone on standard output, progress elsewhere, and writes the page', async () => {
    const page = join(directory, 'made/certification.html');
    const { out, err, code } = await certify(
      '--only',
      'production.limits-configured,production.single-writer',
      '--json',
      '--html',
      page,
      '--seed',
      '3',
    );
    expect(err).toContain('2 of 2 checks: production.single-writer');
    expect(JSON.parse(out)).toMatchObject({ schema: 'venuekit.certification/1', seed: 3, partial: true, readiness: 100 });
    expect(code).toBe(0);
    expect(readFileSync(page, 'utf8')).toContain('production.single-writer');
  });

  it('says in words what failed, of options that lack something, and ends with 1', async () => {
    const options = file('options.json', '{ "policy": { "reserve": 0 } }');
    const { out, code } = await certify('--only', 'production.limits-configured', '--options', options);
    expect(out).toContain('nothing reserved for cancels');
    expect(code).toBe(1);
  });

  it.each([
    [['--duration', '5'], 2, /from 10 to 3600/],
    [['--seed', '-1'], 2, /whole number/],
    [['--within', '0'], 2, /from 1 to 3600/],
    [['--sed', '1'], 2, /Did you mean --seed/],
    [['--only', 'production.disk'], 2, /only must name checks, got "production.disk"/],
    [['--options', '/nowhere/kit.mjs'], 1, /There is no file \/nowhere\/kit.mjs \(--options\)/],
  ])('refuses %j with a message that says why', async (args, exitCode, message) => {
    const { err, code } = await certify(...args);
    expect(err).toMatch(message);
    expect(code).toBe(exitCode);
  });

  it('never opens the journal that a host hands in, nor writes to its store', async () => {
    const adapter = simulatedBroker(new SimulatedVenue());
    const touched: string[] = [];
    const touch = (name: string) => async () => void touched.push(name);
    const journal = Object.assign(new MemoryOrderJournal(), { acquire: touch('acquire'), append: touch('append'), unresolved: touch('unresolved') });
    const store = Object.assign(new MemoryMetricStore(), { append: touch('store.append'), retain: touch('store.retain') });
    Object.assign(globalThis, { venuekitHostOptions: { broker: adapter, marketData: adapter, journal, store } });
    const options = file('host.mjs', 'export default globalThis.venuekitHostOptions;');
    const { code, err } = await certify('--only', 'production.limits-configured,production.retention', '--options', options);
    expect(err).toContain('2 of 2 checks');
    // No limits, and a store that keeps nothing: both fail, of what the host has, not of what stands in for it.
    expect(code).toBe(1);
    expect(touched).toEqual([]);
  });

  it('says what is wrong with a file of options', async () => {
    expect((await certify('--options', file('a.json', '{'))).err).toMatch(/a.json is no JSON/);
    expect((await certify('--options', file('b.json', '[]'))).err).toMatch(/b.json must hold an object of options/);
    expect((await certify('--options', file('c.json', '{ "polcy": {} }'))).err).toMatch(
      /No kit could be made of the options: .*did you mean "policy"/,
    );
    expect((await certify('--options', file('d.mjs', 'export const options = {};'))).err).toMatch(/d.mjs must export the options/);
    expect((await certify('--options', file('e.mjs', 'throw new Error("apiKey=verysecret");'))).err).toMatch(
      /could not be loaded.*apiKey=\[redacted\]/,
    );
    expect(existsSync(join(directory, 'data'))).toBe(false);
  });
});
