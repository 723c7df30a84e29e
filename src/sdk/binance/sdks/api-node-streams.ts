import type { Json } from '../../shared/json.js';
import { Overrides } from '../../shared/overrides.js';
import { type KeptMarketStream, keptMarketStream, type MarketKeeping } from '../streams/kept-market-stream.js';

type Listener = (message: Json) => void;
type Close = (options?: object) => void;

/** How the SDK calls what is kept of an event, unless it is asked for the venue's own names. Source: binance-api-node 0.13, websocket. */
interface Shape {
  /** In the venue's names, as much as tells events apart. */
  readonly eventOf: (message: Json) => Json;
  readonly messageOf: (event: Json) => Json;
}

const VENUES_OWN: Shape = { eventOf: (message) => message, messageOf: (event) => event };

const SHAPES: Readonly<Record<string, Shape>> = {
  trades: {
    eventOf: ({ tradeId, tradeTime }) => ({ t: tradeId, T: tradeTime }),
    messageOf: ({ e, E, T, s, p, q, m, M, t, recovered }) => ({
      eventType: e,
      eventTime: E,
      tradeTime: T,
      symbol: s,
      price: p,
      quantity: q,
      isBuyerMaker: m,
      maker: M,
      tradeId: t,
      recovered,
    }),
  },
  aggTrades: {
    eventOf: ({ aggId, timestamp }) => ({ a: aggId, T: timestamp }),
    messageOf: ({ e, E, T, s, p, q, m, M, a, f, l, recovered }) => ({
      eventType: e,
      eventTime: E,
      timestamp: T,
      symbol: s,
      price: p,
      quantity: q,
      isBuyerMaker: m,
      wasBestPrice: M,
      aggId: a,
      firstId: f,
      lastId: l,
      recovered,
    }),
  },
  candles: {
    eventOf: ({ startTime, closeTime, isFinal }) => ({ k: { t: startTime, T: closeTime, x: isFinal } }),
    messageOf: ({ e, E, s, k, recovered }) => {
      const candle = k as Json;
      return {
        eventType: e,
        eventTime: E,
        symbol: s,
        startTime: candle.t,
        closeTime: candle.T,
        firstTradeId: candle.f,
        lastTradeId: candle.L,
        open: candle.o,
        high: candle.h,
        low: candle.l,
        close: candle.c,
        volume: candle.v,
        trades: candle.n,
        interval: candle.i,
        isFinal: candle.x,
        quoteVolume: candle.q,
        buyVolume: candle.V,
        quoteBuyVolume: candle.Q,
        recovered,
      };
    },
  },
  depth: { eventOf: ({ firstUpdateId, finalUpdateId }) => ({ U: firstUpdateId, u: finalUpdateId }), messageOf: (event) => event },
};

/** The name of the venue's stream that one part of a payload stands for, where it is one of those that are kept. */
const NAMES: Readonly<Record<string, (part: unknown, more: unknown) => string>> = {
  trades: (symbol) => `${String(symbol).toLowerCase()}@trade`,
  aggTrades: (symbol) => `${String(symbol).toLowerCase()}@aggTrade`,
  candles: (symbol, interval) => `${String(symbol).toLowerCase()}@kline_${String(interval)}`,
  depth: (symbol) => `${String(symbol).toLowerCase().split('@', 1)[0] ?? ''}@depth`,
  customSubStream: String,
  bookTicker: () => '',
  ticker: () => '',
  miniTicker: () => '',
  partialDepth: () => '',
};

/** Of a stream that has said nothing for so long it is seen whether there was something to say. */
const SILENCE_MS = 30_000;

/**
 * Keeps the market streams of binance-api-node: each method of `client.ws` opens one connection a symbol and gives what closes them. The SDK connects anew by itself for as long as it takes, and tells nobody when; a
 * connection that is dead and was never closed it does not notice.
 */
export function keepApiNodeStreams(streams: object, keeping: MarketKeeping): Disposable {
  const overrides = new Overrides(streams);
  const all = new Set<KeptFollow>();
  for (const [method, nameOf] of Object.entries(NAMES)) {
    const at = method === 'candles' ? 2 : 1;
    overrides.wrap<(...args: unknown[]) => Close>(method, (open) => (payload, ...rest) => {
      const [listener, transform = true] = rest.slice(at - 1) as [unknown, unknown];
      // What it refuses by itself is for it to refuse.
      if (typeof listener !== 'function') return open(payload, ...rest);
      const shape = transform === false || method === 'customSubStream' ? VENUES_OWN : SHAPES[method];
      const follows = (Array.isArray(payload) ? payload : [payload]).map((part: unknown) => {
        const openOne = (hear: Listener): Close => open(part, ...rest.slice(0, at - 1), hear, ...rest.slice(at));
        return new KeptFollow(openOne, nameOf(part, rest[0]), shape ?? VENUES_OWN, listener as Listener, keeping);
      });
      for (const follow of follows) all.add(follow);
      return (options) => {
        for (const follow of follows) {
          all.delete(follow);
          follow.close(options);
        }
      };
    });
  }
  return {
    [Symbol.dispose]: () => {
      overrides[Symbol.dispose]();
      for (const follow of all) follow.release();
    },
  };
}

/** One stream of one symbol, over as many connections as it takes. */
class KeptFollow {
  readonly #open: (hear: Listener) => Close;
  readonly #shape: Shape;
  readonly #listener: Listener;
  readonly #keeping: MarketKeeping;
  readonly #stream: KeptMarketStream<Json> | undefined;
  #close: Close;
  #heardAt: number;
  #timer: Disposable | undefined;

  constructor(open: (hear: Listener) => Close, name: string, shape: Shape, listener: Listener, keeping: MarketKeeping) {
    this.#open = open;
    this.#shape = shape;
    this.#listener = listener;
    this.#keeping = keeping;
    this.#stream = keptMarketStream<Json>(name, keeping, { tell: listener, tellRecovered: (event) => listener(shape.messageOf(event)) });
    this.#heardAt = keeping.recovery.clock.monotonic();
    this.#close = open(this.#hear);
    this.#watch(SILENCE_MS);
  }

  close(options?: object): void {
    this.release();
    this.#close(options);
  }

  /** Leaves it to the SDK. */
  release(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  readonly #hear = (message: Json): void => {
    this.#heardAt = this.#keeping.recovery.clock.monotonic();
    if (this.#stream === undefined || this.#keeping.recovery.closing.aborted) this.#listener(message);
    else this.#stream.take(this.#shape.eventOf(message), message);
  };

  #watch(ms: number): void {
    const { clock } = this.#keeping.recovery;
    this.#timer = clock.schedule(ms, () => {
      const left = this.#heardAt + SILENCE_MS - clock.monotonic();
      if (left <= 0) void this.#silent();
      else this.#watch(left);
    });
  }

  async #silent(): Promise<void> {
    const { clock, closing } = this.#keeping.recovery;
    const stream = this.#stream;
    // A market may be as quiet as a dead connection: where a list can tell, it is asked.
    stream?.interrupt();
    const isQuiet = stream?.canTell === true && !(await stream.resume());
    if (this.#timer === undefined || closing.aborted) return;
    this.#heardAt = clock.monotonic();
    if (!isQuiet) {
      const dead = this.#close;
      this.#close = this.#open(this.#hear);
      dead();
    }
    this.#watch(SILENCE_MS);
  }
}
