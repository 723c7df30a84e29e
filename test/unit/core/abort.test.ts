import { describe, expect, it } from 'vitest';
import { abortable, onAbort } from '../../../src/core/abort.js';

describe('abort', () => {
  it('ends the wait of one caller and leaves the shared promise to the others', async () => {
    const shared = deferred<number>();
    const controller = new AbortController();
    const impatient = abortable(shared.promise, controller.signal);
    const patient = abortable(shared.promise, new AbortController().signal);
    controller.abort(new Error('gave up'));
    shared.resolve(5);
    await expect(impatient).rejects.toThrow('gave up');
    await expect(patient).resolves.toBe(5);
  });

  it('calls back at once for a signal that has aborted, and never after disposal', () => {
    const reasons: string[] = [];
    onAbort(AbortSignal.abort(new Error('before')), (reason) => reasons.push(reason.message));
    const controller = new AbortController();
    onAbort(controller.signal, (reason) => reasons.push(reason.message))[Symbol.dispose]();
    controller.abort(new Error('after'));
    expect(reasons).toEqual(['before']);
  });
});

function deferred<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
