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
});
