import { describe, expect, it } from 'vitest';
import { Cleanup } from '../../../src/core/cleanup.js';

describe('Cleanup', () => {
  const givenParts = (...failing: string[]) => {
    const closed: string[] = [];
    const cleanup = new Cleanup();
    for (const name of ['store', 'client', 'timer']) {
      const close = (): void => {
        closed.push(name);
        if (failing.includes(name)) throw new Error(`${name} failed`);
      };
      cleanup.use(name === 'timer' ? { [Symbol.dispose]: close } : { [Symbol.asyncDispose]: async () => close() });
    }
    return { cleanup, closed };
  };

  it('closes in reverse order, once', async () => {
    const { cleanup, closed } = givenParts();
    await cleanup[Symbol.asyncDispose]();
    await cleanup[Symbol.asyncDispose]();
    expect(closed).toEqual(['timer', 'client', 'store']);
  });

  it('closes the others when one fails, and passes the failure on', async () => {
    const { cleanup, closed } = givenParts('client');
    await expect(cleanup[Symbol.asyncDispose]()).rejects.toThrow('client failed');
    expect(closed).toEqual(['timer', 'client', 'store']);
  });

  it('names all failures when there are several', async () => {
    const { cleanup } = givenParts('client', 'timer');
    await expect(cleanup[Symbol.asyncDispose]()).rejects.toMatchObject({ errors: [{ message: 'timer failed' }, { message: 'client failed' }] });
  });
});
