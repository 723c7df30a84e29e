import type { Json } from '../../shared/json.js';
import { Overrides } from '../../shared/overrides.js';
import { type WatchedConnection, watchConnection } from '../../shared/streams/watched-connection.js';
import type { AlpacaV3 } from '../sdk-shapes.js';
import { KeptMarketData } from './kept-market-data.js';
import { KeptTradeUpdates, type StreamParts, streamBackoff } from './kept-stream.js';
import { streamedMarket } from './stream-history.js';

/** A socket of the package ws, as version 3 holds it. */
interface Connection extends WatchedConnection {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  removeAllListeners(event: string): unknown;
}

/** Its stream of trade updates. */
interface V3TradingStream {
  conn?: Connection;
  readonly session: { reconnectTimeout: number };
  handleMessage(data: unknown): void;
  subscriptions(): string[];
  subscribe(keys: readonly string[]): void;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** Its streams of market data. */
interface V3DataStream {
  conn?: Connection;
  readonly session: { readonly url: string; reconnect: boolean; isReconnected: boolean };
  connect(): void;
  emit(event: string, ...args: unknown[]): unknown;
}

const DATA_STREAMS = ['data_stream_v2', 'crypto_stream_v1beta3', 'news_stream', 'option_stream'] as const;

/** Lets the streams that version 3 holds live through dropped connections, for as long as the bot does not end them. */
export function keepV3Streams(sdk: AlpacaV3, parts: StreamParts): Disposable {
  const streams = sdk as unknown as { readonly trade_ws?: V3TradingStream } & Partial<Record<(typeof DATA_STREAMS)[number], V3DataStream>>;
  const undo: Disposable[] = [];
  if (streams.trade_ws !== undefined) undo.push(keepTrading(streams.trade_ws, parts));
  for (const name of DATA_STREAMS) {
    const stream = streams[name];
    if (stream !== undefined) undo.push(keepData(stream, parts));
  }
  return {
    [Symbol.dispose]: () => {
      for (const one of undo) one[Symbol.dispose]();
    },
  };
}

function keepTrading(stream: V3TradingStream, parts: StreamParts): Disposable {
  const overrides = new Overrides(stream);
  const { clock } = parts.session;
  let pinging: Disposable | undefined;
  let updates: KeptTradeUpdates | undefined;
  overrides.wrap<(data: unknown) => void>('handleMessage', (handle) => {
    updates = new KeptTradeUpdates(parts, (frame) => handle(JSON.stringify(frame)));
    return (data) => {
      const frame = frameOf(data);
      if (frame === undefined) handle(data);
      else updates?.take(frame);
    };
  });
  const onConnected = (): void => {
    // It never starts from the shortest pause again by itself.
    stream.session.reconnectTimeout = 0;
    if (updates?.isReturning === true && stream.subscriptions().length > 0) stream.subscribe(stream.subscriptions());
    pinging?.[Symbol.dispose]();
    pinging = stream.conn === undefined ? undefined : watchConnection(stream.conn, clock, parts.closing);
  };
  const onDisconnected = (): void => {
    pinging?.[Symbol.dispose]();
    updates?.down();
  };
  stream.on('connected', onConnected);
  stream.on('disconnected', onDisconnected);
  return {
    [Symbol.dispose]: () => {
      overrides[Symbol.dispose]();
      pinging?.[Symbol.dispose]();
      stream.off('connected', onConnected);
      stream.off('disconnected', onDisconnected);
    },
  };
}

// An error of the connection ends the SDK's stream for good, and a drop makes it try again without any pause.
function keepData(stream: V3DataStream, parts: StreamParts): Disposable {
  const overrides = new Overrides(stream);
  const pause = streamBackoff();
  const { session, closing } = parts;
  let failures = 0;
  let data: KeptMarketData | undefined;
  overrides.wrap<(message: unknown) => void>('handleMessage', (handle) => {
    const market = streamedMarket(stream.session.url);
    if (market === undefined) return handle;
    const kept = new KeptMarketData({
      recovery: parts.recovery,
      market,
      source: parts.history(market.loc),
      handle,
      handleRecovered: (frame) => handle([{ ...frame, t: new Date(String(frame.t)), recovered: true }]),
    });
    data = kept;
    return (message) => kept.take(message);
  });
  overrides.wrap<() => void>('connect', (connect) => () => {
    connect();
    const { conn } = stream;
    if (conn === undefined) return;
    conn.removeAllListeners('error');
    conn.on('error', (error) => stream.emit('client_error', (error as Error).message));
    conn.on('open', () => {
      failures = 0;
      if (data?.isReturning !== true) parts.recovery.say('live');
    });
  });
  overrides.wrap<() => void>('reconnect', () => () => {
    if (closing.aborted) return;
    parts.recovery.say('down');
    data?.down();
    stream.session.isReconnected = true;
    session.clock.schedule(pause(++failures), () => {
      if (stream.session.reconnect && !closing.aborted) stream.connect();
    });
  });
  overrides.wrap<() => void>('disconnect', (disconnect) => () => {
    data?.ended();
    disconnect();
  });
  return overrides;
}

function frameOf(data: unknown): Json | undefined {
  try {
    const frame: unknown = JSON.parse(String(data));
    return typeof frame === 'object' && frame !== null ? (frame as Json) : undefined;
  } catch {
    return undefined;
  }
}
