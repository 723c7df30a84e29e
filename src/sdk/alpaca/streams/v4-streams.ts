import type { Json } from '../../shared/json.js';
import { Overrides } from '../../shared/overrides.js';
import type { AlpacaV4 } from '../sdk-shapes.js';
import { KeptMarketData } from './kept-market-data.js';
import { KeptTradeUpdates, type StreamParts } from './kept-stream.js';
import { streamedMarket } from './stream-history.js';

/** A stream of version 4, as far as it is used: an emitter that hands every decoded frame to a method of its own. */
interface V4Stream {
  readonly url: string;
  handleMessage(message: unknown): void;
  safeEmit(event: string, ...args: unknown[]): void;
  onDisconnect(listener: () => void): unknown;
  onConnect(listener: () => void): unknown;
}

interface V4StreamOptions {
  readonly maxReconnectAttempts?: number;
  readonly reconnect?: boolean;
}

/** Its own default is to give up after ten attempts. */
const FOREVER = -1;
const MARKET_STREAMS = ['stockStream', 'cryptoStream', 'optionStream', 'newsStream'] as const;

/** Lets the streams that version 4 makes live through dropped connections, for as long as the bot does not end them. */
export function keepV4Streams(sdk: AlpacaV4, parts: StreamParts): Disposable {
  const undo: Disposable[] = [];
  const overridesOf = (target: object): Overrides => {
    const overrides = new Overrides(target);
    undo.push(overrides);
    return overrides;
  };
  overridesOf(sdk.trading).wrap<(options?: V4StreamOptions) => V4Stream>('stream', (make) => (options) => {
    const stream = make(lasting(options));
    keepTrading(stream, overridesOf(stream), parts);
    return stream;
  });
  const data = overridesOf(sdk.marketData);
  for (const name of MARKET_STREAMS) {
    data.wrap<(options?: V4StreamOptions) => V4Stream>(name, (make) => (options) => {
      const stream = make(lasting(options));
      const data = keptData(stream, overridesOf(stream), parts);
      stream.onDisconnect(() => {
        parts.recovery.say('down');
        data?.down();
      });
      stream.onConnect(() => {
        if (data?.isReturning !== true) parts.recovery.say('live');
      });
      return stream;
    });
  }
  return {
    [Symbol.dispose]: () => {
      for (const one of undo) one[Symbol.dispose]();
    },
  };
}

function lasting(options: V4StreamOptions = {}): V4StreamOptions {
  return { ...options, maxReconnectAttempts: options.maxReconnectAttempts ?? FOREVER };
}

function keepTrading(stream: V4Stream, overrides: Overrides, parts: StreamParts): void {
  const updates = new KeptTradeUpdates(parts, stream.handleMessage.bind(stream));
  overrides.wrap<V4Stream['handleMessage']>('handleMessage', () => (message) => updates.take(message as Json));
  stream.onDisconnect(() => updates.down());
}

function keptData(stream: V4Stream, overrides: Overrides, { recovery, history }: StreamParts): KeptMarketData | undefined {
  const market = streamedMarket(stream.url);
  if (market === undefined) return undefined;
  const handle = stream.handleMessage.bind(stream);
  // What it makes of a frame has no other members than it knows.
  let isRecovered = false;
  overrides.wrap<V4Stream['safeEmit']>('safeEmit', (emit) => (event, ...args) => {
    const [message] = args;
    if (isRecovered && typeof message === 'object') emit(event, { ...message, recovered: true });
    else emit(event, ...args);
  });
  const data = new KeptMarketData({
    recovery,
    market,
    source: history(market.loc),
    handle,
    handleRecovered: ({ t, i, ...frame }) => {
      isRecovered = true;
      try {
        handle([{ ...frame, t: nanoseconds(String(t)), ...(i === undefined ? {} : { i: typeof i === 'string' ? BigInt(i) : i }) }]);
      } finally {
        isRecovered = false;
      }
    },
  });
  overrides.wrap<V4Stream['handleMessage']>('handleMessage', () => (message) => data.take(message));
  overrides.wrap<() => void>('disconnect', (disconnect) => () => {
    data.ended();
    disconnect();
  });
  return data;
}

/** With nine places, as the stream itself gives times. */
function nanoseconds(time: string): string {
  return time.replace(/(?:\.(\d+))?Z$/, (_, places: string | undefined) => `.${(places ?? '').padEnd(9, '0')}Z`);
}
