import { describe, expect, it } from 'vitest';
import type { Settled } from '../../../src/contracts/calls.js';
import type { Quote } from '../../../src/contracts/market-data.js';
import { givenClient } from './support/given-client.js';
import { givenQuote } from './support/scripted-adapter.js';

const ABC = ['A', 'B', 'C'].map((symbol) => ({ symbol }));

const codesOf = (settled: readonly Settled<{ readonly value: Quote }>[]): string[] =>
  settled.map((one) => (one.status === 'fulfilled' ? one.value.value.symbol : String((one.reason as { code?: string }).code)));

describe('CachedMarketDataClient before an adapter that misbehaves', () => {
  it.each<[string, (answers: readonly Settled<unknown>[]) => unknown, readonly string[]]>([
    ['answers too few', (answers) => answers.slice(0, 2), ['A', 'B', 'MISSING_ANSWER']],
    ['answers none', () => [], ['MISSING_ANSWER', 'MISSING_ANSWER', 'MISSING_ANSWER']],
    ['answers too many', (answers) => [...answers, { status: 'fulfilled', value: givenQuote('D') }], ['A', 'B', 'C']],
    ['answers one twice', (answers) => [answers[0], answers[0], answers[1], answers[2]], ['A', 'B', 'C']],
    ['answers in another order', (answers) => [...answers].reverse(), ['A', 'B', 'C']],
    ['leaves a hole', (answers) => [answers[0], undefined, answers[2]], ['A', 'BAD_ANSWER', 'C']],
  ])('which %s: each key gets its own value or a clear error', async (_, mangle, expected) => {
    const { adapter, client, settle } = givenClient();
    adapter.mangle = mangle;
    expect(codesOf(await settle(client.getMany('quote', ABC)))).toEqual(expected);
    // Nothing wrong was kept: what is served now is what belongs to the key.
    for (const request of ABC) expect(client.peek('quote', request)?.value.symbol ?? request.symbol).toBe(request.symbol);
    adapter.mangle = (answers) => answers;
    expect(codesOf(await settle(client.getMany('quote', ABC)))).toEqual(['A', 'B', 'C']);
    await client.close();
  });

  it.each([undefined, null, 'text', 7, {}, { length: 3 }])('whose answer is %j: every key is told, and nobody hangs', async (answer) => {
    const { adapter, client, settle } = givenClient();
    adapter.mangle = () => answer;
    const settled = await settle(client.getMany('quote', ABC));
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await client.close();
  });

  it('which answers after its time: the late answer is taken by nobody and replaces nothing newer', async () => {
    const { adapter, client, clock } = givenClient({ loadTimeoutMs: 1_000, latencyMs: 5_000 });
    // Deaf to its signal, as many SDKs are.
    const fetch = adapter.fetch.bind(adapter);
    adapter.fetch = (kind, requests, attempt) => fetch(kind, requests, { ...attempt, signal: new AbortController().signal });
    adapter.answer = () => givenQuote('A', 1);
    const late = client.get('quote', { symbol: 'A' }).then(
      () => 'value',
      (error: { code?: string }) => error.code,
    );
    await clock.advance(1_000);
    expect(await late).toBe('LOAD_TIMEOUT');
    adapter.latencyMs = 10;
    adapter.answer = () => givenQuote('A', 2);
    const second = client.get('quote', { symbol: 'A' });
    await clock.advance(10);
    expect((await second).value.bid).toBe(2);
    await clock.advance(3_990 - 300);
    const held = client.get('quote', { symbol: 'A' });
    await clock.advance(10);
    await held;
    await clock.advance(300);
    expect(client.peek('quote', { symbol: 'A' })?.value.bid).toBe(2);
    await client.close();
  });

  it('which throws at once, or from batchLimit: an error, and the next read is served', async () => {
    const { adapter, client, settle } = givenClient();
    const fetch = adapter.fetch.bind(adapter);
    adapter.fetch = () => {
      throw new Error('not even a promise');
    };
    await expect(settle(client.get('quote', { symbol: 'A' }))).rejects.toThrow('not even a promise');
    adapter.fetch = fetch;
    expect((await settle(client.get('quote', { symbol: 'A' }))).value.symbol).toBe('A');
    await client.close();
  });

  it.each([3_600_000, -3_600_000])('grows nothing younger when the wall clock steps by %i ms', async (step) => {
    const { adapter, client, clock, settle } = givenClient();
    adapter.answer = (_, { symbol }) => givenQuote(symbol, 1, { eventTime: clock.now() });
    await settle(client.get('quote', { symbol: 'A' }));
    clock.stepWall(step);
    await clock.advance(200);
    const read = client.peek('quote', { symbol: 'A' }, { maxAgeMs: 300 });
    // Forward it may be older than it is; back it is as old as its monotonic time says.
    if (step > 0) expect(read).toBeUndefined();
    else expect(read?.ageMs).toBe(250);
    await client.close();
  });
});
