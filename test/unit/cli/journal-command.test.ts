import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/run.js';
import { SqliteOrderJournal } from '../../../src/stores/sqlite/order-journal.js';
import { type EntryBodies, entry } from '../../../src/trading/order-entry.js';
import { givenATerminal } from './terminal.js';

const AT = Date.UTC(2026, 0, 5, 9, 30);
const INTENT = { symbol: 'BTC/USDT', side: 'buy', type: 'limit', qty: '0.5', price: '60000' } as const;

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'venuekit-cli-'));
  path = join(directory, 'orders.db');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const venuekit = async (...args: string[]) => {
  const { output, terminal } = givenATerminal();
  const code = await run(args, terminal);
  return { ...output, code };
};

/** A journal with an order that filled after an unknown outcome, and one whose outcome nobody knows. */
async function givenAJournal() {
  const journal = await SqliteOrderJournal.open({ path });
  const { epoch } = await journal.acquire('main', 'bot-a', 5_000);
  const append = <K extends keyof EntryBodies>(intentId: string, type: K, afterMs: number, body: EntryBodies[K]) =>
    journal.append([{ account: 'main', intentId, epoch, ...entry(type, AT + afterMs, body) }]);
  const prepared = (intentId: string): EntryBodies['prepared'] => ({
    intent: { ...INTENT, intentId },
    clientOrderId: `c-${intentId}`,
    payloadHash: 'h',
  });
  const order = {
    clientOrderId: 'c-done',
    venueOrderId: '77',
    state: 'filled',
    symbol: 'BTC/USDT',
    side: 'buy',
    qty: '0.5',
    filledQty: '0.5',
  } as const;
  await append('done', 'prepared', 0, prepared('done'));
  await append('done', 'sending', 1, { attempt: 1, venueNow: AT, fenceUntil: AT + 2_000 });
  await append('done', 'unknown', 500, { attempt: 1, reason: 'socket hang up' });
  await append('done', 'seen', 900, { order: { ...order, venueTime: AT + 3 }, by: 'find' });
  await append('done', 'fill', 901, { venueOrderId: '77', fill: { tradeId: 't1', qty: '0.5', price: '59999', at: AT + 3 } });
  await append('done', 'settled', 902, {
    state: 'filled',
    payloadHash: 'h',
    view: {
      intent: { ...INTENT, intentId: 'done' },
      clientOrderId: 'c-done',
      venueOrderIds: ['77'],
      state: 'filled',
      filledQty: '0.5',
      fills: [],
      attempts: 1,
    },
  });
  await append('dark', 'prepared', 1_000, prepared('dark'));
  await append('dark', 'sending', 1_001, { attempt: 1, venueNow: AT + 1_001 });
  return journal;
}

describe('venuekit journal', () => {
  it('lists every intent with its state, attempts and newest evidence, beside the bot that writes', async () => {
    await using _journal = await givenAJournal();
    const { code, out, err } = await venuekit('journal', path);
    expect(code).toBe(0);
    const [head, done, dark, ...more] = out.split('\n');
    expect(head).toMatch(/^INTENT +ACCOUNT +STATE +ORDER +FILLED +ATTEMPTS +UPDATED \(UTC\) +NEWEST EVIDENCE$/);
    expect(done).toMatch(
      /^done +main +filled +buy 0\.5 BTC\/USDT limit at 60000 +0\.5 +unknown +2026-01-05 09:30:00\.902 +settled: filled, 0\.5 filled$/,
    );
    expect(dark).toMatch(/^dark +main +sending +buy .* +0 +open +2026-01-05 09:30:01\.001 +sending: attempt 1, signed 2026-01-05 09:30:01\.001$/);
    expect(more).toEqual(['']);
    expect(err).toMatch(/account main: held by bot-a \(process \d+ on .*\) with epoch 1, until .* UTC\n2 intents, 1 unresolved\n/);
  });

  it('shows everything that was written about one intent', async () => {
    await using _journal = await givenAJournal();
    const { code, out } = await venuekit('journal', path, '--intent', 'done');
    expect(code).toBe(0);
    for (const line of [
      /^state +filled$/m,
      /^average price +59999$/m,
      /^venue order ids +77$/m,
      /prepared +buy 0\.5 BTC\/USDT limit at 60000, as c-done/,
      /sending +attempt 1, signed 2026-01-05 09:30:00\.000, void after 2026-01-05 09:30:02\.000/,
      /unknown +nobody knows what became of attempt 1: socket hang up/,
      /seen +find: order 77 filled, 0\.5 of 0\.5 filled, at 2026-01-05 09:30:00\.003/,
      /fill +0\.5 at 59999, trade t1 of order 77/,
    ]) {
      expect(out).toMatch(line);
    }
  });

  it('prints one JSON document alone on standard output', async () => {
    await using _journal = await givenAJournal();
    const { code, out } = await venuekit('journal', path, '--json', '--check');
    expect(code).toBe(0);
    const document = JSON.parse(out);
    expect(document).toMatchObject({
      path,
      leases: [{ account: 'main', epoch: 1, owner: 'bot-a' }],
      unresolved: 1,
      damage: [],
      intents: [
        { intentId: 'done', state: 'filled', view: { filledQty: '0.5', avgPrice: '59999' }, attempts: [{ number: 1, outcome: 'unknown' }] },
        { intentId: 'dark', state: 'sending', attempts: [{ number: 1, outcome: 'open' }] },
      ],
    });
    expect(document.intents[0].evidence.map(({ type }: { type: string }) => type)).toEqual([
      'prepared',
      'sending',
      'unknown',
      'seen',
      'fill',
      'settled',
    ]);
  });

  it('leaves out what is over, and other accounts, when asked', async () => {
    await using journal = await givenAJournal();
    await journal.acquire('second', 'bot-a', 5_000);
    await journal.append([{ account: 'second', intentId: 'elsewhere', epoch: 1, at: AT, type: 'prepared', body: {} }]);
    const idsOf = ({ out }: { out: string }) => JSON.parse(out).intents.map(({ intentId }: { intentId: string }) => intentId);
    expect(idsOf(await venuekit('journal', path, '--json', '--unresolved'))).toEqual(['dark', 'elsewhere']);
    expect(idsOf(await venuekit('journal', path, '--json', '--unresolved', '--account', 'main'))).toEqual(['dark']);
  });

  it('still shows a compacted intent', async () => {
    await using journal = await givenAJournal();
    await journal.compact('main', AT + 10_000, 1);
    const { out } = await venuekit('journal', path, '--json', '--intent', 'done');
    expect(JSON.parse(out).intents).toMatchObject([{ state: 'filled', view: { filledQty: '0.5' }, evidence: [{ type: 'settled' }] }]);
  });

  it('shows halts, aliases and records of other clients as what they are', async () => {
    await using journal = await givenAJournal();
    const append = (intentId: string, type: string, body: unknown) => journal.append([{ account: 'main', intentId, epoch: 1, at: AT, type, body }]);
    await append('@halt/main', 'halt', { mode: 'halted', reason: 'two live orders' });
    await append('c-done', 'settled', { aliasOf: 'done' });
    await append('foreign', 'teleported', { to: 'mars' });
    const { out, err } = await venuekit('journal', path);
    expect(out).toMatch(/@halt\/main +main +halt .*halt: everything halted: two live orders/);
    expect(out).toMatch(/c-done +main +alias .*settled: a client order id of done/);
    expect(out).toMatch(/foreign +main +unreadable .*teleported: \{"to":"mars"\}/);
    expect(err).toMatch(/5 intents, 2 unresolved/);
  });

  it('ends with 1 for an intent that is not there', async () => {
    await using _journal = await givenAJournal();
    expect(await venuekit('journal', path, '--intent', 'nope')).toMatchObject({ code: 1, err: expect.stringContaining('no intent nope') });
  });

  it('ends with 1 for a file that is not there or is no journal, and makes none', async () => {
    expect(await venuekit('journal', path)).toMatchObject({ code: 1, out: '', err: `There is no file ${path}.\n` });
    writeFileSync(path, 'x'.repeat(5_000));
    expect(await venuekit('journal', path)).toMatchObject({ code: 1, err: expect.stringContaining('no SQLite database') });
    expect(readFileSync(path, 'utf8')).toBe('x'.repeat(5_000));
  });

  it('ends with 1 when the check finds damage', async () => {
    const journal = await givenAJournal();
    await Promise.all(
      Array.from({ length: 300 }, (_, i) => journal.append([{ account: 'main', intentId: `i${i}`, epoch: 1, at: AT, type: 'prepared', body: {} }])),
    );
    await journal.close();
    const bytes = readFileSync(path);
    // The last page holds records or an index of them; the tables' roots, which listing needs, come first.
    bytes.fill(0xff, bytes.length - 4096);
    writeFileSync(path, bytes);
    const { code, err } = await venuekit('journal', path, '--check', '--intent', 'i0');
    expect(code).toBe(1);
    expect(err).toMatch(/damaged/);
  });

  it('ends with 2 for a misspelt option, suggesting the right one', async () => {
    expect(await venuekit('journal', path, '--jsn')).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/--jsn.*--json/s) });
  });
});
