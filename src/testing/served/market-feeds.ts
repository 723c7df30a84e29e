import type { VenueCore } from '../venue/venue-core.js';

/** What a stream has to say since `from`, at `at` (engine time of a tick). */
export type Produce = (from: number, at: number, venueNow: number) => readonly object[];

/** One stream as a protocol describes it. */
export interface FeedSource {
  readonly everyMs: number;
  readonly produce: Produce;
}

/** One stream, made once however many are subscribed to it. */
interface Feed<T> extends FeedSource {
  lastAt: number;
  readonly listeners: Set<(payload: T) => void>;
}

/** How often streams are looked at. */
export const TICK_MS = 100;

/**
 * All market streams of a served venue. They are looked at ten times a second, on the venue's own
 * grid, and only while somebody is subscribed.
 */
export class MarketFeeds<T> {
  readonly #core: VenueCore;
  readonly #sourceOf: (name: string) => FeedSource | undefined;
  readonly #encode: (payload: object) => T;
  readonly #feeds = new Map<string, Feed<T>>();
  #timer: Disposable | undefined;

  /** @param encode - done once for all who are subscribed. */
  constructor(core: VenueCore, sourceOf: (name: string) => FeedSource | undefined, encode: (payload: object) => T) {
    this.#core = core;
    this.#sourceOf = sourceOf;
    this.#encode = encode;
  }

  /** A name that stands for no stream is accepted and stays silent. */
  subscribe(name: string, listener: (payload: T) => void): Disposable {
    let feed = this.#feeds.get(name);
    if (feed === undefined) {
      const source = this.#sourceOf(name);
      if (source === undefined) return { [Symbol.dispose]: () => {} };
      this.#core.engine.catchUp();
      feed = { ...source, lastAt: this.#tickNow(), listeners: new Set() };
      this.#feeds.set(name, feed);
    }
    const { listeners } = feed;
    listeners.add(listener);
    this.#arm();
    return {
      [Symbol.dispose]: () => {
        listeners.delete(listener);
        if (listeners.size === 0) this.#feeds.delete(name);
      },
    };
  }

  stop(): void {
    this.#feeds.clear();
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#feeds.size === 0) return;
    const untilNext = TICK_MS - (this.#core.venueClock.engineNow() % TICK_MS);
    this.#timer = this.#core.clock.schedule(untilNext, () => {
      this.#timer = undefined;
      this.#tick();
      this.#arm();
    });
  }

  #tick(): void {
    this.#core.engine.catchUp();
    const at = this.#tickNow();
    const venueNow = this.#core.venueClock.venueNow(at);
    for (const feed of [...this.#feeds.values()]) {
      if (Math.floor(at / feed.everyMs) === Math.floor(feed.lastAt / feed.everyMs)) continue;
      const payloads = feed.produce(feed.lastAt, at, venueNow);
      feed.lastAt = at;
      for (const payload of payloads) {
        const encoded = this.#encode(payload);
        for (const listener of feed.listeners) listener(encoded);
      }
    }
  }

  #tickNow(): number {
    return Math.floor(this.#core.agenda.now / TICK_MS) * TICK_MS;
  }
}
