import { EventEmitter } from 'eventemitter3';
import { abortReason } from './abort.js';
import { asError } from './errors.js';
import { requireFunction, requireOneOf } from './options.js';

/** An event as {@link TypedEventBus.events} yields it. */
export type BusEvent<E extends object> = { [K in keyof E]: { readonly type: K; readonly payload: E[K] } }[keyof E];

/** What becomes of an error that a listener throws. */
export type ListenerErrorHandler = (error: Error, event: PropertyKey) => void;

const BUFFERED_EVENTS = 10_000;

/**
 * A typed bus on eventemitter3. A throwing listener stops neither the other listeners nor the
 * emitter: its error goes to `onListenerError`, by default to the console.
 */
export class TypedEventBus<E extends object> {
  readonly #emitter = new EventEmitter();
  readonly #taps = new Set<(type: keyof E, payload: never) => void>();
  readonly #onListenerError: ListenerErrorHandler;
  // A plain count answers the commonest question, "does anybody listen at all", without a look-up.
  #listening = 0;
  /** Who asks for each event that has been asked for or about. */
  readonly #demands = new Map<keyof E, { asking: number }>();

  constructor(options: { readonly onListenerError?: ListenerErrorHandler } = {}) {
    this.#onListenerError = options.onListenerError ?? reportToConsole;
  }

  /**
   * Calls `listener` with every `event` until the result is disposed.
   * @param how - `quiet`: it takes what is told anyway, but {@link has} does not count it, so that nothing is told for its sake
   * alone. @defaultValue 'heard'
   */
  on<K extends keyof E>(event: K, listener: (payload: E[K]) => void, how: 'heard' | 'quiet' = 'heard'): Disposable {
    requireFunction('listener', listener);
    requireOneOf('how', how, ['heard', 'quiet']);
    const isolated = this.#isolate(event, listener);
    this.#emitter.on(event as string, isolated);
    this.#listening++;
    if (how === 'heard') this.#demandOf(event).asking++;
    let active = true;
    return {
      [Symbol.dispose]: () => {
        if (!active) return;
        active = false;
        this.#listening--;
        if (how === 'heard') this.#demandOf(event).asking--;
        this.#emitter.off(event as string, isolated);
      },
    };
  }

  /** As {@link on}, for the next `event` only. */
  once<K extends keyof E>(event: K, listener: (payload: E[K]) => void): Disposable {
    requireFunction('listener', listener);
    const subscription = this.on(event, (payload) => {
      subscription[Symbol.dispose]();
      listener(payload);
    });
    return subscription;
  }

  /** Calls every listener of `event`, in order of subscription, before it returns. */
  emit<K extends keyof E>(event: K, payload: E[K]): void {
    if (this.#listening === 0) return;
    this.#emitter.emit(event as string, payload);
    if (this.#taps.size > 0) for (const tap of this.#taps) tap(event, payload as never);
  }

  /** Guards hot paths: build a payload only when somebody listens. */
  has(event: keyof E): boolean {
    if (this.#listening === 0) return false;
    const demand = this.#demands.get(event);
    return demand === undefined ? this.#taps.size > 0 : demand.asking > 0;
  }

  /** What {@link has} says of `event`, kept up to date: for paths where even a look-up by name is felt. `asking` is 0 while nobody listens. */
  demand(event: keyof E): { readonly asking: number } {
    return this.#demandOf(event);
  }

  /**
   * Every event from now on, in order. Buffers up to 10,000 for a slow reader, then drops the oldest
   * and tells the error handler how many. Rejects with the reason when `signal` aborts.
   */
  events(signal?: AbortSignal): AsyncIterable<BusEvent<E>> {
    return { [Symbol.asyncIterator]: () => this.#iterate(signal) };
  }

  #iterate(signal: AbortSignal | undefined): AsyncIterator<BusEvent<E>> {
    const buffer = new DroppingBuffer<BusEvent<E>>(BUFFERED_EVENTS);
    // Everyone who waits is woken: next() may be called again before the last one has settled.
    const waiting: (() => void)[] = [];
    const wake = (): void => {
      for (const go of waiting.splice(0)) go();
    };
    let ended = signal?.aborted ?? false;
    const tap = (type: keyof E, payload: never): void => {
      if (buffer.push({ type, payload }) && buffer.dropped === 1) {
        this.#report(new Error(`events(): the reader is more than ${BUFFERED_EVENTS} events behind; the oldest are dropped`), type);
      }
      wake();
    };
    const end = (): void => {
      if (this.#taps.delete(tap)) {
        this.#listening--;
        for (const demand of this.#demands.values()) demand.asking--;
      }
      signal?.removeEventListener('abort', end);
      ended = true;
      wake();
    };
    if (!ended) {
      for (const demand of this.#demands.values()) demand.asking++;
      this.#taps.add(tap);
      this.#listening++;
      signal?.addEventListener('abort', end, { once: true });
    }
    return {
      next: async () => {
        while (buffer.size === 0 && !ended) {
          await new Promise<void>((resolve) => {
            waiting.push(resolve);
          });
        }
        if (buffer.size > 0) {
          if (buffer.dropped > 0) {
            const { dropped } = buffer;
            buffer.dropped = 0;
            this.#report(new Error(`events(): ${dropped} events were dropped, the reader was too slow`), 'events');
          }
          return { done: false, value: buffer.shift() as BusEvent<E> };
        }
        if (signal?.aborted) throw abortReason(signal);
        return { done: true, value: undefined };
      },
      return: () => {
        end();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  #demandOf(event: keyof E): { asking: number } {
    let demand = this.#demands.get(event);
    // Who takes all events asks for each.
    if (demand === undefined) this.#demands.set(event, (demand = { asking: this.#taps.size }));
    return demand;
  }

  #isolate<K extends keyof E>(event: K, listener: (payload: E[K]) => void): (payload: E[K]) => void {
    return (payload) => {
      try {
        listener(payload);
      } catch (error) {
        this.#report(asError(error), event);
      }
    };
  }

  #report(error: Error, event: PropertyKey): void {
    try {
      this.#onListenerError(error, event);
    } catch {
      // A handler that throws has no one left to tell; the emitter still must not feel it.
    }
  }
}

/** A bounded queue that gives up its oldest element for a new one, and counts what it gave up. */
class DroppingBuffer<T> {
  dropped = 0;
  readonly #capacity: number;
  readonly #ring: (T | undefined)[] = [];
  #head = 0;
  #size = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#size;
  }

  /** True when an element was dropped to make room. */
  push(item: T): boolean {
    this.#ring[(this.#head + this.#size) % this.#capacity] = item;
    if (this.#size < this.#capacity) {
      this.#size++;
      return false;
    }
    this.#head = (this.#head + 1) % this.#capacity;
    this.dropped++;
    return true;
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#capacity;
    this.#size--;
    return item;
  }
}

function reportToConsole(error: Error, event: PropertyKey): void {
  console.error(`venuekit: a listener of "${String(event)}" threw`, error);
}
