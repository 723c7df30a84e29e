import { describe, expect, it } from 'vitest';
import { TypedEventBus } from '../../../src/core/event-bus.js';

interface Events {
  price: { readonly value: number };
  halt: { readonly reason: string };
}

const givenABus = () => {
  const failures: { message: string; event: PropertyKey }[] = [];
  const bus = new TypedEventBus<Events>({ onListenerError: (error, event) => failures.push({ message: error.message, event }) });
  return { bus, failures };
};

describe('EventBus', () => {
  it('calls every listener of an event in order of subscription, and no other', () => {
    const { bus } = givenABus();
    const seen: string[] = [];
    bus.on('price', ({ value }) => seen.push(`a${value}`));
    bus.on('price', ({ value }) => seen.push(`b${value}`));
    bus.on('halt', () => seen.push('halt'));
    bus.emit('price', { value: 1 });
    expect(seen).toEqual(['a1', 'b1']);
  });

  it('keeps calling the other listeners when one throws, and says which event it was', () => {
    const { bus, failures } = givenABus();
    const seen: number[] = [];
    bus.on('price', () => {
      throw new Error('broken strategy');
    });
    bus.on('price', ({ value }) => seen.push(value));
    expect(() => bus.emit('price', { value: 7 })).not.toThrow();
    expect(seen).toEqual([7]);
    expect(failures).toEqual([{ message: 'broken strategy', event: 'price' }]);
  });

  it('tells a quiet listener what is told anyway, but does not count it as somebody who asks', () => {
    const { bus } = givenABus();
    const seen: number[] = [];
    const quiet = bus.on('price', ({ value }) => seen.push(value), 'quiet');
    expect(bus.has('price')).toBe(false);
    const heard = bus.on('price', () => {});
    expect(bus.has('price')).toBe(true);
    bus.emit('price', { value: 1 });
    heard[Symbol.dispose]();
    heard[Symbol.dispose]();
    expect(bus.has('price')).toBe(false);
    bus.emit('price', { value: 2 });
    quiet[Symbol.dispose]();
    bus.emit('price', { value: 3 });
    expect(seen).toEqual([1, 2]);
    expect(() => bus.on('price', () => {}, 'loud' as never)).toThrow('how must be one of');
  });

  it('keeps a demand up to date with what has() says, whoever comes and goes', async () => {
    const { bus } = givenABus();
    const price = bus.demand('price');
    const agree = (): number => {
      const halt = bus.demand('halt');
      expect(price.asking > 0).toBe(bus.has('price'));
      expect(halt.asking > 0).toBe(bus.has('halt'));
      return price.asking;
    };
    expect(agree()).toBe(0);
    bus.on('price', () => {}, 'quiet');
    expect(agree()).toBe(0);
    const heard = bus.on('price', () => {});
    expect(agree()).toBe(1);
    const controller = new AbortController();
    const all = bus.events(controller.signal)[Symbol.asyncIterator]();
    expect(agree()).toBe(2);
    heard[Symbol.dispose]();
    expect(agree()).toBe(1);
    controller.abort();
    await all.next().catch(() => {});
    expect(agree()).toBe(0);
  });

  it('is not harmed by an error handler that throws itself', () => {
    const bus = new TypedEventBus<Events>({
      onListenerError: () => {
        throw new Error('handler');
      },
    });
    bus.on('halt', () => {
      throw new Error('listener');
    });
    expect(() => bus.emit('halt', { reason: 'x' })).not.toThrow();
  });

  it('stops calling a disposed listener, and disposing twice is fine', () => {
    const { bus } = givenABus();
    let calls = 0;
    const subscription = bus.on('price', () => calls++);
    bus.emit('price', { value: 1 });
    subscription[Symbol.dispose]();
    subscription[Symbol.dispose]();
    bus.emit('price', { value: 2 });
    expect(calls).toBe(1);
    expect(bus.has('price')).toBe(false);
  });

  it('tells whether anybody listens to an event', () => {
    const { bus } = givenABus();
    expect(bus.has('price')).toBe(false);
    const subscription = bus.on('price', () => {});
    expect(bus.has('price')).toBe(true);
    expect(bus.has('halt')).toBe(false);
    subscription[Symbol.dispose]();
    expect(bus.has('price')).toBe(false);
  });

  it('calls a once-listener once, even when it emits the same event itself', () => {
    const { bus } = givenABus();
    let calls = 0;
    bus.once('price', () => {
      calls++;
      bus.emit('price', { value: 2 });
    });
    bus.emit('price', { value: 1 });
    bus.emit('price', { value: 3 });
    expect(calls).toBe(1);
  });

  it('yields every event with its type to an asynchronous loop, until the loop is left', async () => {
    const { bus } = givenABus();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { type, payload } of bus.events()) {
        seen.push(`${type}:${JSON.stringify(payload)}`);
        if (type === 'halt') break;
      }
    })();
    await Promise.resolve();
    bus.emit('price', { value: 1 });
    bus.emit('halt', { reason: 'enough' });
    await reading;
    expect(seen).toEqual(['price:{"value":1}', 'halt:{"reason":"enough"}']);
    expect(bus.has('price')).toBe(false);
  });

  it('rejects an asynchronous loop with the reason of its signal', async () => {
    const { bus } = givenABus();
    const controller = new AbortController();
    const reading = (async () => {
      for await (const _ of bus.events(controller.signal));
    })();
    await Promise.resolve();
    controller.abort(new Error('shutting down'));
    await expect(reading).rejects.toThrow('shutting down');
  });

  it('drops the oldest events of a reader that is more than 10,000 behind, and says how many', async () => {
    const { bus, failures } = givenABus();
    const iterator = bus.events()[Symbol.asyncIterator]();
    for (let value = 0; value < 10_025; value++) bus.emit('price', { value });
    const first = await iterator.next();
    expect(first.value).toEqual({ type: 'price', payload: { value: 25 } });
    expect(failures.at(-1)?.message).toContain('25 events were dropped');
    await iterator.return?.();
  });

  it('regression: two calls of next() at once left the first waiting for ever', async () => {
    const { bus } = givenABus();
    const iterator = bus.events()[Symbol.asyncIterator]();
    const both = Promise.all([iterator.next(), iterator.next()]);
    await Promise.resolve();
    bus.emit('price', { value: 1 });
    bus.emit('price', { value: 2 });
    expect((await both).map((result) => result.value?.payload)).toEqual([{ value: 1 }, { value: 2 }]);
  });

  it('regression: an error handler that threw reached the emitter when a slow reader overflowed', async () => {
    const bus = new TypedEventBus<Events>({
      onListenerError: () => {
        throw new Error('handler');
      },
    });
    bus.events()[Symbol.asyncIterator]();
    expect(() => {
      for (let value = 0; value < 10_001; value++) bus.emit('price', { value });
    }).not.toThrow();
  });

  it('refuses a listener that is no function', () => {
    const { bus } = givenABus();
    expect(() => bus.on('price', undefined as never)).toThrow(/listener must be a function, got undefined/);
  });
});
