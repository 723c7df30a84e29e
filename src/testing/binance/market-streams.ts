import { intervalMs } from '../market/bars.js';
import { bookTick, type Market } from '../market/market.js';
import type { VenueCore } from '../venue/venue-core.js';
import { deskById } from './endpoint.js';
import {
  aggregatePayload,
  bookTickerPayload,
  depthPayload,
  klinePayload,
  miniTickerPayload,
  partialDepthPayload,
  tickerPayload,
  tradePayload,
} from './stream-payloads.js';

/** What a stream has to say since `from`, at `at` (engine time of a tick). */
type Produce = (from: number, at: number, venueNow: number) => readonly object[];

interface Source {
  readonly everyMs: number;
  readonly produce: Produce;
}

/** One stream, made once however many are subscribed to it. */
interface Feed extends Source {
  lastAt: number;
  readonly listeners: Set<(payload: string) => void>;
}

const TICK_MS = 100;
const SECOND_MS = 1_000;
const NONE: readonly object[] = [];

/**
 * All market streams of a served venue. They are looked at ten times a second, on the venue's own
 * grid, and only while somebody is subscribed.
 */
export class MarketStreams {
  readonly #core: VenueCore;
  readonly #feeds = new Map<string, Feed>();
  #timer: Disposable | undefined;

  constructor(core: VenueCore) {
    this.#core = core;
  }

  /** A name that stands for no stream is accepted and stays silent, as on Binance. */
  subscribe(name: string, listener: (payload: string) => void): Disposable {
    let feed = this.#feeds.get(name);
    if (feed === undefined) {
      const source = sourceOf(this.#core, name);
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
        const text = JSON.stringify(payload);
        for (const listener of feed.listeners) listener(text);
      }
    }
  }

  #tickNow(): number {
    return Math.floor(this.#core.agenda.now / TICK_MS) * TICK_MS;
  }
}

function sourceOf(core: VenueCore, name: string): Source | undefined {
  if (name === '!miniTicker@arr') return ofAll(core, miniTickerPayload);
  if (name === '!ticker@arr') return ofAll(core, tickerPayload);
  const [id = '', kind = '', pace] = name.split('@');
  const market = id === id.toLowerCase() ? deskById(core, id.toUpperCase())?.market : undefined;
  if (market === undefined) return undefined;
  if (kind.startsWith('kline_')) return klines(market, kind.slice('kline_'.length));
  if (kind.startsWith('depth')) return depth(market, kind.slice('depth'.length), pace);
  switch (kind) {
    case 'trade':
      return { everyMs: SECOND_MS, produce: (from, at, now) => market.tradesSince(from, at).map((trade) => tradePayload(market, trade, now)) };
    case 'aggTrade':
      return { everyMs: SECOND_MS, produce: (from, at, now) => market.tradesSince(from, at).map((trade) => aggregatePayload(market, trade, now)) };
    case 'bookTicker':
      return { everyMs: TICK_MS, produce: bookTickers(market) };
    case 'miniTicker':
      return { everyMs: SECOND_MS, produce: (_, at, now) => [miniTickerPayload(market, at, now)] };
    case 'ticker':
      return { everyMs: SECOND_MS, produce: (_, at, now) => [tickerPayload(market, at, now)] };
    default:
      return undefined;
  }
}

function ofAll(core: VenueCore, payload: (market: Market, at: number, venueNow: number) => object): Source {
  return { everyMs: SECOND_MS, produce: (_, at, now) => [[...core.desks.values()].map(({ market }) => payload(market, at, now))] };
}

function bookTickers(market: Market): Produce {
  let last = '';
  return (_, at) => {
    const payload = bookTickerPayload(market, at);
    const look = `${String(payload.b)} ${String(payload.B)} ${String(payload.a)} ${String(payload.A)}`;
    if (look === last) return NONE;
    last = look;
    return [payload];
  };
}

function depth(market: Market, levels: string, pace: string | undefined): Source | undefined {
  if (pace !== undefined && pace !== '100ms' && pace !== '1000ms') return undefined;
  const everyMs = pace === '100ms' ? TICK_MS : SECOND_MS;
  if (levels === '') return { everyMs, produce: depthUpdates(market) };
  if (!['5', '10', '20'].includes(levels)) return undefined;
  return { everyMs, produce: (_, at) => [partialDepthPayload(market, at, Number(levels))] };
}

// Update ids go on from the last update that was sent, so that a quiet stretch leaves no hole.
function depthUpdates(market: Market): Produce {
  let sent: number | undefined;
  return (from, at, now) => {
    const to = bookTick(at);
    const payload = depthPayload(market, sent ?? bookTick(from), to, now);
    sent ??= bookTick(from);
    if (payload === undefined) return NONE;
    sent = to;
    return [payload];
  };
}

function klines(market: Market, interval: string): Source | undefined {
  let everyMs: number;
  try {
    everyMs = intervalMs(interval);
  } catch {
    return undefined;
  }
  return {
    everyMs: SECOND_MS,
    produce: (from, at, now) => {
      // From the last millisecond of a bar on it is final; the one that has just begun comes after it.
      const bars = market.bars(at, interval, everyMs, Math.floor(from / everyMs) * everyMs, 1_000);
      return Array.from(bars.t, (t, i) => klinePayload(market, bars, i, everyMs, t + everyMs <= at, now));
    },
  };
}
