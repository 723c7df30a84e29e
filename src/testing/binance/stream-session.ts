import type { StreamWire } from '../broker/stream-wire.js';
import type { MarketFeeds } from '../served/market-feeds.js';
import type { RequestLine } from '../served/request-line.js';
import type { ServerSocket } from '../served/socket.js';
import { followAccount } from './account-stream.js';
import type { ListenKeys } from './listen-keys.js';

/** What a connection to the streams is made of. */
export interface StreamParts {
  readonly line: RequestLine;
  readonly streams: MarketFeeds<string>;
  readonly listenKeys: ListenKeys;
  readonly socket: ServerSocket;
  readonly wire: StreamWire<string>;
  /** Named in the address. */
  readonly names: readonly string[];
  /** Of `/stream`: events come with the name of their stream around them. */
  readonly isCombined: boolean;
}

const MOST_STREAMS = 1_024;
const METHODS = 'SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS, SET_PROPERTY, GET_PROPERTY';

/** One connection to `/ws` or `/stream`. Source: binance-spot-api-docs, web-socket-streams.md. */
export class StreamSession {
  readonly #parts: StreamParts;
  readonly #open = new Map<string, Disposable>();
  #isCombined: boolean;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#isCombined = parts.isCombined;
    parts.socket.on('message', (data) => this.#take(data.toString()));
    parts.socket.on('close', () => this.#end());
    for (const name of parts.names) this.#subscribe(name);
  }

  // Answers are no events: they are never lost or doubled, but they do wait for what is before them.
  #take(text: string): void {
    this.#parts.wire.send(JSON.stringify(this.#answerTo(text)));
  }

  #answerTo(text: string): object {
    let request: { readonly id?: unknown; readonly method?: unknown; readonly params?: unknown };
    try {
      request = JSON.parse(text) as typeof request;
    } catch {
      return { error: { code: 3, msg: 'Invalid JSON: expected value' } };
    }
    const id = request.id ?? null;
    const names = Array.isArray(request.params) ? request.params.map(String) : [];
    switch (request.method) {
      case 'SUBSCRIBE':
        if (this.#open.size + names.length > MOST_STREAMS) return { error: { code: 2, msg: 'Invalid request: too many subscriptions' }, id };
        for (const name of names) this.#subscribe(name);
        return { result: null, id };
      case 'UNSUBSCRIBE':
        for (const name of names) {
          this.#open.get(name)?.[Symbol.dispose]();
          this.#open.delete(name);
        }
        return { result: null, id };
      case 'LIST_SUBSCRIPTIONS':
        return { result: [...this.#open.keys()], id };
      case 'SET_PROPERTY':
      case 'GET_PROPERTY':
        if (names[0] !== 'combined') return { error: { code: 0, msg: 'Unknown property' }, id };
        if (request.method === 'GET_PROPERTY') return { result: this.#isCombined, id };
        this.#isCombined = names[1] === 'true';
        return { result: null, id };
      default:
        return { error: { code: 2, msg: `Invalid request: unknown variant ${JSON.stringify(request.method)}, expected one of ${METHODS}` }, id };
    }
  }

  #subscribe(name: string): void {
    if (this.#open.has(name)) return;
    const { line, streams, listenKeys, wire, socket } = this.#parts;
    if (!listenKeys.isValid(name)) {
      this.#open.set(
        name,
        streams.subscribe(name, (payload) => wire.push(this.#wrap(name, payload), 'stream')),
      );
      return;
    }
    const follow = followAccount(line.core, line.account, (event) => {
      if (listenKeys.isValid(name)) wire.push(this.#wrap(name, JSON.stringify(event)), 'events');
    });
    const ended = listenKeys.onEnded(name, () => socket.close(1000));
    this.#open.set(name, {
      [Symbol.dispose]: () => {
        follow[Symbol.dispose]();
        ended[Symbol.dispose]();
      },
    });
  }

  #wrap(name: string, payload: string): string {
    return this.#isCombined ? `{"stream":${JSON.stringify(name)},"data":${payload}}` : payload;
  }

  #end(): void {
    for (const subscription of this.#open.values()) subscription[Symbol.dispose]();
    this.#open.clear();
  }
}
