import type { Json } from '../shared/json.js';
import { Overrides } from '../shared/overrides.js';
import { KeptTradeUpdates, type StreamParts, sayState } from './kept-stream.js';
import type { AlpacaV4 } from './sdk-shapes.js';

/** A stream of version 4, as far as it is used: an emitter that hands every decoded frame to a method of its own. */
interface V4Stream {
  handleMessage(message: unknown): void;
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
  const trading = new Overrides(sdk.trading);
  trading.wrap<(options?: V4StreamOptions) => V4Stream>('stream', (make) => (options) => kept(make(lasting(options)), parts));
  const data = new Overrides(sdk.marketData);
  for (const name of MARKET_STREAMS) {
    data.wrap<(options?: V4StreamOptions) => V4Stream>(name, (make) => (options) => {
      const stream = make(lasting(options));
      stream.onDisconnect(() => sayState(parts, 'down'));
      stream.onConnect(() => sayState(parts, 'live'));
      return stream;
    });
  }
  return {
    [Symbol.dispose]: () => {
      trading[Symbol.dispose]();
      data[Symbol.dispose]();
    },
  };
}

function lasting(options: V4StreamOptions = {}): V4StreamOptions {
  return { ...options, maxReconnectAttempts: options.maxReconnectAttempts ?? FOREVER };
}

function kept(stream: V4Stream, parts: StreamParts): V4Stream {
  const updates = new KeptTradeUpdates(parts, stream.handleMessage.bind(stream));
  Object.defineProperty(stream, 'handleMessage', {
    value: (message: unknown) => updates.take(message as Json),
    writable: true,
    configurable: true,
    enumerable: false,
  });
  stream.onDisconnect(() => updates.down());
  return stream;
}
