import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../../src/core/manual-clock.js';
import type { CcxtKraken } from '../../../../src/sdk/ccxt/exchange.js';
import { laneOf, PrivateLane, raiseNonces } from '../../../../src/sdk/ccxt/private-lane.js';

const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

/** Requests that are answered when the test says so. */
function givenLane() {
  const lane = new PrivateLane();
  const clock = new ManualClock();
  const sent: string[] = [];
  const answers = new Map<string, (answer: string) => void>();
  const ask = (name: string, signal = new AbortController().signal) =>
    lane.run(
      () => {
        sent.push(name);
        return new Promise<string>((resolve) => void answers.set(name, resolve));
      },
      signal,
      clock,
    );
  return { clock, sent, ask, answer: (name: string) => answers.get(name)?.(name) };
}

describe('the private requests of one key', () => {
  it('leave one after another, as each is answered', async () => {
    const { sent, ask, answer } = givenLane();
    const all = ['a', 'b', 'c'].map((name) => ask(name));
    await turns();
    expect(sent).toEqual(['a']);
    answer('a');
    await turns();
    expect(sent).toEqual(['a', 'b']);
    answer('b');
    await turns();
    answer('c');
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c']);
  });

  it('wait no longer than half a second for an answer that does not come', async () => {
    const { sent, ask, clock } = givenLane();
    void ask('hangs');
    void ask('next');
    await turns();
    await clock.advance(499);
    expect(sent).toEqual(['hangs']);
    await clock.advance(1);
    await turns();
    expect(sent).toEqual(['hangs', 'next']);
  });

  it('of one that is given up while it waits, the next one does not hang on it', async () => {
    const { sent, ask, answer, clock } = givenLane();
    void ask('hangs');
    const controller = new AbortController();
    void ask('given up', controller.signal);
    void ask('last');
    await turns();
    controller.abort(new Error('too late'));
    await turns();
    // What has become of it is for whoever sends: it sees the signal.
    expect(sent).toEqual(['hangs', 'given up']);
    answer('given up');
    await turns();
    expect(sent).toEqual(['hangs', 'given up', 'last']);
    expect(clock.pending).toBe(0);
  });

  it('go on after one that failed', async () => {
    const lane = new PrivateLane();
    const { signal } = new AbortController();
    const clock = new ManualClock();
    const fails = lane.run(() => Promise.reject(new Error('no')), signal, clock);
    const next = lane.run(() => Promise.resolve('yes'), signal, clock);
    await expect(fails).rejects.toThrow('no');
    expect(await next).toBe('yes');
  });

  it('carry nonces that rise, also where the clock stands still or goes back, and over all instances of a key', () => {
    const sdk = (apiKey: string, times: number[], api = 'https://api.kraken.com'): CcxtKraken =>
      ({ apiKey, urls: { api: { private: api } }, nonce: () => times.shift() ?? 0 }) as unknown as CcxtKraken;
    const [one, two, other] = [sdk('lane-key', [100, 100, 90, 200]), sdk('lane-key', [100, 201]), sdk('other-lane-key', [5])];
    for (const each of [one, two, other, one]) raiseNonces(each);
    expect([one.nonce(), one.nonce(), two.nonce(), one.nonce(), one.nonce(), two.nonce()]).toEqual([100, 101, 102, 103, 200, 201]);
    expect(other.nonce()).toBe(5);
    expect(laneOf(one)).toBe(laneOf(two));
    expect(laneOf(one)).not.toBe(laneOf(other));
    // The same name of a key says nothing between two servers, simulated ones for example.
    expect(laneOf(one)).not.toBe(laneOf(sdk('lane-key', [], 'http://127.0.0.1:8080')));
  });
});
