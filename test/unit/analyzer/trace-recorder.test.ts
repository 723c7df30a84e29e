import { mkdtempSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTrace, TraceRecorder } from '../../../src/analyzer/index.js';
import { decodeTrace } from '../../../src/analyzer/trace/read-trace.js';
import { EventBus } from '../../../src/contracts/events.js';
import { ManualClock } from '../../../src/core/manual-clock.js';

const file = (): string => join(mkdtempSync(join(tmpdir(), 'venuekit-trace-')), 'trace.bin');

function given(options: { readonly path?: string; readonly maxBytes?: number } = {}) {
  const clock = new ManualClock();
  const bus = new EventBus();
  const recorder = new TraceRecorder({ bus, clock, ...options });
  const call = (operation = 'balance'): void => bus.emit('venue.call', { venue: 'v', operation, attempt: 1, ms: 12.5, outcome: 'ok', hedge: false });
  return { clock, bus, recorder, call };
}

describe('TraceRecorder', () => {
  it('gives back what the parts of a kit said, and when', async () => {
    const { clock, bus, recorder } = given();
    await clock.advance(100);
    bus.emit('venue.call', { venue: 'v', operation: 'ticker', attempt: 2, ms: 12.5, outcome: 'refused', hedge: true });
    bus.emit('cache.read', { kind: 'book', key: 'k1', outcome: 'coalesced', level: 'none', ageMs: 7, waitedMs: 9, maxAgeMs: 500, consumer: 'a' });
    bus.emit('cache.read', { kind: 'quote', key: 'k2', outcome: 'hit', level: 'memory', ageMs: 3 });
    bus.emit('cache.load', { kind: 'quote', keys: 3, ms: 20, ok: false });
    bus.emit('cache.prefetch', { key: 'k2', useful: true });
    bus.emit('pool.acquired', { pool: 'sessions', waitedMs: 4, reused: true });
    bus.emit('pool.released', { pool: 'sessions', heldMs: 40 });
    bus.emit('pool.created', { pool: 'sessions', ms: 30 });
    bus.emit('pool.destroyed', { pool: 'sessions', why: 'idle' });
    bus.emit('fetch.task', { group: 'default', waitMs: 1, runMs: 2, ok: true });
    bus.emit('fetch.parse', { bytes: 5_000_000, ms: 80, thread: 'worker' });
    bus.emit('limit.observed', { limit: 'weight', used: 40, blockedUntil: clock.now() + 250 });
    bus.emit('journal.append', { records: 2, ms: 1.5 });
    const trace = recorder.trace();
    const t = clock.now();
    expect(trace).toMatchObject({
      startedAt: t - 100,
      from: t,
      to: t,
      calls: [{ t, operation: 'ticker', attempt: 2, ms: 12.5, outcome: 'refused', hedge: true }],
      reads: [
        { t, kind: 'book', key: 1, outcome: 'coalesced', ageMs: 7, waitedMs: 9, maxAgeMs: 500, consumer: 1 },
        { t, kind: 'quote', key: 2, outcome: 'hit', ageMs: 3, waitedMs: 0, maxAgeMs: Infinity, consumer: 0 },
      ],
      loads: [{ t, kind: 'quote', keys: 3, ms: 20, ok: false }],
      prefetches: [{ t, key: 2, useful: true }],
      loans: [{ t, pool: 'sessions', waitedMs: 4, reused: true }],
      returns: [{ t, pool: 'sessions', heldMs: 40 }],
      opened: [{ t, pool: 'sessions', ms: 30 }],
      closed: [{ t, pool: 'sessions', why: 'idle' }],
      tasks: [{ t, group: 'default', waitMs: 1, runMs: 2, ok: true }],
      parses: [{ t, bytes: 5_000_000, ms: 80, thread: 'worker' }],
      limitReports: [{ t, limit: 'weight', used: 40, remaining: undefined, blockedMs: 250 }],
      appends: [{ t, records: 2, ms: 1.5 }],
      dropped: 0,
      unreadable: 0,
    });
  });

  it('says of a value whether it differs from the one before, and not that it was told at another time', () => {
    const { bus, recorder } = given();
    const quote = { symbol: 'BTC/USDT', bid: 1, ask: 2 };
    for (const value of [
      { ...quote, eventTime: 1 },
      { ...quote, eventTime: 2 },
      { ...quote, bid: 1.5 },
    ])
      bus.emit('cache.kept', { kind: 'quote', key: 'k', origin: 'read', value });
    expect(recorder.trace().values.map(({ changed }) => changed)).toEqual([undefined, false, true]);
  });

  it('keeps neither keys nor consumers nor values', async () => {
    const path = file();
    const { bus, recorder } = given({ path });
    const secret = 'account-4711-secret';
    bus.emit('cache.read', { kind: 'quote', key: `v1|${secret}/default|quote|v:BTC|`, outcome: 'hit', level: 'memory', ageMs: 3, consumer: secret });
    bus.emit('cache.kept', { kind: 'quote', key: secret, origin: 'read', value: { symbol: secret, bid: 1, ask: 2 } });
    bus.emit('pool.create_failed', { pool: 'sessions', error: new Error(secret) });
    await recorder.close();
    expect(readFileSync(path).includes(secret)).toBe(false);
    expect((await readTrace(path)).reads).toHaveLength(1);
  });

  it('costs nothing while there is none: nobody listens to what only it needs', () => {
    const { bus, recorder } = given();
    expect(['pool.released', 'cache.kept', 'fetch.parse'].map((event) => bus.has(event as 'cache.kept'))).toEqual([true, true, true]);
    void recorder.close();
    expect(['pool.released', 'cache.kept', 'fetch.parse', 'venue.call'].map((event) => bus.has(event as 'cache.kept'))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('writes what it has at least once a second, so that a killed process loses no more', async () => {
    const path = file();
    const { clock, recorder, call } = given({ path });
    call();
    await clock.advance(1_000);
    await recorder.flush();
    expect((await readTrace(path)).calls).toHaveLength(1);
    await recorder.close();
  });

  it('leaves out a torn last block, wherever the file breaks off, and says so', async () => {
    const path = file();
    const { recorder, call } = given({ path });
    for (let block = 0; block < 3; block++) {
      for (let i = 0; i < 5; i++) call(`operation ${block}`);
      await recorder.flush();
    }
    await recorder.close();
    const whole = readFileSync(path);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: whole.indexOf(10) + 1, max: whole.length }), async (length) => {
        const trace = decodeTrace([whole.subarray(0, length)]);
        expect(trace.calls.length % 5).toBe(0);
        expect(trace.calls.every(({ operation }, i) => operation === `operation ${Math.floor(i / 5)}`)).toBe(true);
        if (length === whole.length) expect(trace.calls).toHaveLength(15);
      }),
      { numRuns: 60 },
    );
    truncateSync(path, whole.length - 1);
    expect(await readTrace(path)).toMatchObject({ unreadable: 1 });
    expect((await readTrace(path)).calls).toHaveLength(10);
  });

  it('does not take damage for records', async () => {
    const { recorder, call } = given({ path: file() });
    const memory = given();
    for (let i = 0; i < 5; i++) memory.call();
    const path = file();
    const other = given({ path });
    for (let i = 0; i < 5; i++) other.call();
    await other.recorder.close();
    const bytes = readFileSync(path);
    bytes[bytes.length - 3] = bytes[bytes.length - 3]! ^ 0xff;
    expect(decodeTrace([bytes])).toMatchObject({ calls: [], unreadable: 1 });
    call();
    await recorder.close();
  });

  it('keeps the newest part of a long run within its bound, names included', async () => {
    const path = file();
    const { clock, recorder, call } = given({ path, maxBytes: 262_144 });
    for (let i = 0; i < 40_000; i++) {
      call(`operation ${i % 3}`);
      if (i % 1_000 === 0) await clock.advance(10);
    }
    await recorder.close();
    const bytes = statSync(path).size + statSync(`${path}.1`).size;
    expect(bytes).toBeLessThanOrEqual(262_144 + 2 * 60_000);
    const trace = await readTrace(path);
    expect(trace.calls.length).toBeGreaterThan(4_000);
    expect(trace.calls.at(-1)).toMatchObject({ operation: 'operation 0' });
    expect(new Set(trace.calls.map(({ operation }) => operation))).toEqual(new Set(['operation 0', 'operation 1', 'operation 2']));
    const times = trace.calls.map(({ t }) => t);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
  });

  it('does not mix the trace of the run before into this one', async () => {
    const path = file();
    for (const operation of ['before', 'now']) {
      const { clock, recorder, call } = given({ path });
      await clock.advance(5);
      if (operation === 'now') await clock.advance(1_000);
      call(operation);
      await recorder.close();
    }
    expect((await readTrace(path)).calls.map(({ operation }) => operation)).toEqual(['now']);
  });

  it('refuses what is no trace, and says what it is', async () => {
    const path = file();
    await expect(readTrace(path)).rejects.toMatchObject({ code: 'TRACE_MISSING' });
    writeFileSync(path, 'SQLite format 3');
    await expect(readTrace(path)).rejects.toMatchObject({ code: 'TRACE_FOREIGN' });
    writeFileSync(path, '{"schema":"venuekit.trace/99","startedAt":1}\n');
    await expect(readTrace(path)).rejects.toMatchObject({ code: 'TRACE_NEWER' });
  });

  it('refuses options that can not be meant', () => {
    const bus = new EventBus();
    expect(() => new TraceRecorder({ bus, maxBytes: 10 })).toThrow('maxBytes must be a whole number of 262144 or more, got 10');
    expect(() => new TraceRecorder({ bus, file: 'x' } as never)).toThrow('has no option "file"');
  });
});
