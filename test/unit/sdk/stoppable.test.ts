import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { stoppedBefore, untilGivenUp } from '../../../src/sdk/shared/stoppable.js';

const never = (): Promise<never> => new Promise(() => {});

describe('untilGivenUp', () => {
  it('ends with the attempt, whether a signal or the attempt itself says so', async () => {
    const controller = new AbortController();
    const bySignal = untilGivenUp(never(), { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(bySignal).rejects.toThrow('enough');
    let giveUp = (_: Error): void => {};
    const byItself = untilGivenUp(never(), { signal: controller.signal, onGivenUp: (listener) => (giveUp = listener) });
    giveUp(new Error('too late'));
    await expect(byItself).rejects.toThrow('too late');
  });

  it('regression: left a listener on the signal of an attempt with each of its requests', async () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 20; i++) expect(await untilGivenUp(Promise.resolve(i), { signal })).toBe(i);
    await expect(untilGivenUp(Promise.reject(new Error('no')), { signal })).rejects.toThrow('no');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('stoppedBefore', () => {
  it('proves that nothing was sent where the signal has aborted, and says nothing otherwise', () => {
    expect(stoppedBefore(new AbortController().signal)).toBeUndefined();
    expect(stoppedBefore(AbortSignal.abort(new Error('enough')))).toMatchObject({ error: { message: 'enough' }, facts: { sent: false } });
  });
});
