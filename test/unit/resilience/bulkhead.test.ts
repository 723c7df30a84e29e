import { describe, expect, it } from 'vitest';
import type { Priority } from '../../../src/core/limits.js';
import { AdaptiveConcurrency, Bulkhead } from '../../../src/resilience/index.js';

const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));

const givenAFullBulkhead = (maxQueue = 10) => {
  const bulkhead = new Bulkhead({ maxInFlight: 1, maxQueue });
  bulkhead.tryEnter();
  const served: string[] = [];
  const enter = (name: string, priority: Priority, signal?: AbortSignal) =>
    void bulkhead.enter({ priority, ...(signal !== undefined && { signal }) }).then(
      () => served.push(name),
      (error: { code?: string; message: string }) => served.push(`${name}: ${error.code ?? error.message}`),
    );
  return { bulkhead, served, enter };
};

describe('Bulkhead', () => {
  it('lets so many in at once and no more', () => {
    const bulkhead = new Bulkhead({ maxInFlight: 2 });
    expect([bulkhead.tryEnter(), bulkhead.tryEnter(), bulkhead.tryEnter()]).toEqual([true, true, false]);
    bulkhead.leave();
    expect(bulkhead.tryEnter()).toBe(true);
  });

  it('serves waiters by priority and then in order', async () => {
    const { bulkhead, served, enter } = givenAFullBulkhead();
    enter('read 1', 'read');
    enter('kill', 'kill');
    enter('read 2', 'read');
    for (let i = 0; i < 3; i++) {
      bulkhead.leave();
      await settle();
    }
    expect(served).toEqual(['kill', 'read 1', 'read 2']);
  });

  it('refuses when its queue is full, the least urgent first', async () => {
    const { served, enter } = givenAFullBulkhead(1);
    enter('read', 'read');
    enter('prefetch', 'prefetch');
    enter('cancel', 'cancel');
    await settle();
    expect(served).toEqual(['prefetch: BULKHEAD_FULL', 'read: BULKHEAD_FULL']);
  });

  it('does not give the place of a waiter to one that is as urgent and comes later', async () => {
    const { served, enter } = givenAFullBulkhead(1);
    enter('first', 'read');
    enter('second', 'read');
    await settle();
    expect(served).toEqual(['second: BULKHEAD_FULL']);
  });

  it('forgets a waiter that aborts', async () => {
    const { bulkhead, served, enter } = givenAFullBulkhead();
    const caller = new AbortController();
    enter('first', 'read', caller.signal);
    enter('second', 'read');
    caller.abort(new Error('changed my mind'));
    expect(bulkhead.queued).toBe(1);
    bulkhead.leave();
    await settle();
    expect(served).toEqual(['first: changed my mind', 'second']);
    expect(bulkhead.inFlight).toBe(1);
  });

  it('gives the place back when the work fails', async () => {
    const bulkhead = new Bulkhead({ maxInFlight: 1 });
    await expect(bulkhead.run(() => Promise.reject(new Error('reset')), { priority: 'read' })).rejects.toThrow('reset');
    expect(bulkhead.inFlight).toBe(0);
    expect(() => bulkhead.leave()).toThrow(/more often than enter/);
  });

  it('follows an adaptive limit', () => {
    const adaptive = new AdaptiveConcurrency({ initial: 2, max: 10 });
    const bulkhead = new Bulkhead({ maxInFlight: adaptive });
    for (let i = 0; i < 10; i++) adaptive.observe('ok', 10, 2);
    expect(bulkhead.limit).toBe(3);
  });
});
