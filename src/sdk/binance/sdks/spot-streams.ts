import type { Json } from '../../shared/json.js';
import { Overrides } from '../../shared/overrides.js';
import { type WatchedConnection, watchConnection } from '../../shared/streams/watched-connection.js';
import { type KeptMarketStream, keptMarketStream, type MarketKeeping } from '../streams/kept-market-stream.js';
import { streamPause } from '../streams/kept-reports.js';

/** One connection, as the SDK holds it. */
interface Connection {
  readonly ws?: WatchedConnection & { once(event: 'close', listener: () => void): unknown };
  readonly closeInitiated: boolean;
}

/** `websocketBase` of a connection to the market streams, by shape; the package itself is never imported. */
interface StreamsBase {
  readonly configuration: object;
  readonly streamConnectionMap: ReadonlyMap<string, Connection>;
  onMessage(text: string, connection: Connection): void;
  onOpen(url: string, connection: Connection, before?: Connection['ws']): void;
  getReconnectURL(url: string, connection: Connection): string;
  enqueueReconnection(connection: Connection, url: string, isRenewal: boolean): void;
  unsubscribe(...args: readonly unknown[]): void;
  disconnect(): Promise<void>;
  on(event: 'error', listener: () => void): void;
  off(event: 'error', listener: () => void): void;
}

/** `websocketStreams` of a @binance/spot client. */
export interface SpotStreams {
  connect: (options?: object) => Promise<{ readonly websocketBase: StreamsBase }>;
}

interface Message {
  readonly text: string;
  readonly connection: Connection;
}

/** Such as `{"stream":"btcusdt@trade",`: only messages of streams that are kept are read twice. */
const NAME = /^\{"stream":"([^"]*@(?:trade|aggTrade|kline_|depth)[^"]*)"/;

/** Lets the market streams that @binance/spot opens live through dropped connections, and tells what they missed. */
export function keepSpotStreams(streams: SpotStreams, keeping: MarketKeeping): Disposable {
  const overrides = new Overrides(streams);
  const all = new Set<SpotMarketStreams>();
  overrides.wrap<SpotStreams['connect']>('connect', (connect) => async (options) => {
    const connection = await connect(options);
    const kept = new SpotMarketStreams(connection.websocketBase, keeping, () => all.delete(kept));
    all.add(kept);
    return connection;
  });
  return {
    [Symbol.dispose]: () => {
      overrides[Symbol.dispose]();
      for (const kept of all) kept[Symbol.dispose]();
    },
  };
}

/** What one `websocketStreams.connect()` gave. The SDK connects anew by itself, after the same pause each time, and subscribes again. */
class SpotMarketStreams implements Disposable {
  readonly #base: StreamsBase;
  readonly #keeping: MarketKeeping;
  readonly #overrides: Overrides;
  readonly #configured: Overrides;
  readonly #watches = new Map<Connection['ws'], Disposable>();
  readonly #streams = new Map<string, KeptMarketStream<Message> | undefined>();
  readonly #handle: StreamsBase['onMessage'];
  #failures = 0;

  /** @param onLeft - the bot has ended it */
  constructor(base: StreamsBase, keeping: MarketKeeping, onLeft: () => void) {
    this.#base = base;
    this.#keeping = keeping;
    this.#handle = base.onMessage.bind(base);
    this.#configured = new Overrides(base.configuration);
    this.#configured.compute('reconnectDelay', () => streamPause(++this.#failures));
    this.#overrides = new Overrides(base);
    this.#overrides.put('onMessage', (text: string, connection: Connection) => this.#take(text, connection));
    this.#overrides.wrap<StreamsBase['onOpen']>('onOpen', (open) => (url, connection, before) => {
      open(url, connection, before);
      this.#opened(url, connection, before !== undefined && before !== connection.ws);
    });
    this.#overrides.wrap<StreamsBase['unsubscribe']>('unsubscribe', (unsubscribe) => (...args) => {
      unsubscribe(...args);
      for (const name of this.#streams.keys()) if (!this.#base.streamConnectionMap.has(name)) this.#streams.delete(name);
    });
    this.#overrides.wrap<StreamsBase['disconnect']>('disconnect', (disconnect) => () => {
      this.#streams.clear();
      onLeft();
      return disconnect();
    });
    // An attempt to connect anew that fails would end the process, where nobody listens.
    base.on('error', ignore);
    keeping.recovery.say('live');
    for (const connection of new Set((base as unknown as { connectionPool: readonly Connection[] }).connectionPool))
      this.#watch(connection, '', false);
  }

  [Symbol.dispose](): void {
    this.#overrides[Symbol.dispose]();
    this.#configured[Symbol.dispose]();
    this.#base.off('error', ignore);
    for (const watch of this.#watches.values()) watch[Symbol.dispose]();
  }

  #take(text: string, connection: Connection): void {
    const name = NAME.exec(text)?.[1];
    const stream = name === undefined ? undefined : this.#stream(name);
    const event = stream === undefined ? undefined : eventIn(text);
    if (stream === undefined || event === undefined) this.#handle(text, connection);
    else stream.take(event, { text, connection });
  }

  #stream(name: string): KeptMarketStream<Message> | undefined {
    let stream = this.#streams.get(name);
    if (stream !== undefined || this.#streams.has(name)) return stream;
    const { streamConnectionMap } = this.#base;
    stream = keptMarketStream<Message>(name, this.#keeping, {
      tell: ({ text, connection }) => this.#handle(text, connection),
      tellRecovered: (data) => {
        const connection = streamConnectionMap.get(name);
        if (connection !== undefined) this.#handle(JSON.stringify({ stream: name, data }), connection);
      },
    });
    this.#streams.set(name, stream);
    return stream;
  }

  #opened(url: string, connection: Connection, isRenewed: boolean): void {
    this.#failures = 0;
    this.#watch(connection, url, isRenewed);
    if (isRenewed) return;
    const { recovery } = this.#keeping;
    recovery.say('recovering');
    void Promise.all(this.#of(connection).map((stream) => stream.resume())).then(() => recovery.say('live'));
  }

  #watch(connection: Connection, url: string, isRenewed: boolean): void {
    const { ws } = connection;
    if (ws === undefined) return;
    const { clock, closing } = this.#keeping.recovery;
    this.#watches.set(ws, watchConnection(ws, clock, closing));
    ws.once('close', () => {
      this.#watches.get(ws)?.[Symbol.dispose]();
      this.#watches.delete(ws);
      if (connection.ws !== ws || connection.closeInitiated || closing.aborted) return;
      this.#keeping.recovery.say('down');
      for (const stream of this.#of(connection)) stream.interrupt();
      // One that took the place of another before its day was over is lost for good to the SDK.
      if (!isRenewed) return;
      clock.schedule(streamPause(++this.#failures), () => {
        if (connection.ws === ws && !connection.closeInitiated && !closing.aborted)
          this.#base.enqueueReconnection(connection, this.#base.getReconnectURL(url, connection), false);
      });
    });
  }

  #of(connection: Connection): readonly KeptMarketStream<Message>[] {
    return [...this.#streams].flatMap(([name, stream]) =>
      stream !== undefined && this.#base.streamConnectionMap.get(name) === connection ? [stream] : [],
    );
  }
}

function eventIn(text: string): Json | undefined {
  try {
    const { data } = JSON.parse(text) as { readonly data?: unknown };
    return typeof data === 'object' && data !== null ? (data as Json) : undefined;
  } catch {
    // What can't be read is the SDK's to complain of.
    return undefined;
  }
}

function ignore(): void {}
