import { describe, expect, it } from 'vitest';
import { nextMacrotask } from '../../../src/core/macrotask.js';

describe('nextMacrotask', () => {
  it('lets every promise that is due settle before it resolves', async () => {
    const order: string[] = [];
    const waiting = nextMacrotask().then(() => order.push('macrotask'));
    let chain = Promise.resolve();
    for (let link = 0; link < 50; link++) chain = chain.then(() => {});
    await Promise.all([waiting, chain.then(() => order.push('promises'))]);
    expect(order).toEqual(['promises', 'macrotask']);
  });

  it('lets the rest of the event loop run, however often it is awaited in a row', async () => {
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    for (let slice = 0; slice < 200; slice++) await nextMacrotask();
    running = false;
    expect(turns).toBeGreaterThan(100);
  });
});
