import type { Clock } from '../../../core/clock.js';
import { VenueKitError } from '../../../core/errors.js';
import { type Json, objectOf } from '../../shared/json.js';
import { openSocket, type WebSocketConstructor, type WebSocketLike, webSocketConstructor } from '../../shared/streams/web-socket.js';

/** What streams of market data are opened with. */
export interface DataStreamParts {
  readonly credentials: () => { readonly key: string; readonly secret: string };
  readonly constructor: WebSocketConstructor | undefined;
  readonly clock: Clock;
}

/** Whoever follows symbols of one channel. */
export interface DataFollower {
  /** Such as `quotes`. */
  readonly channel: string;
  readonly symbols: readonly string[];
  take(event: Json): void;
  /** The venue has answered: what it sent last still holds. */
  alive(): void;
  failed(reason: Error): void;
}

/** Quiet streams are attested by the venue's answer to a request that changes nothing. */
const ASK_EVERY_MS = 5_000;
const SILENCE_MS = 15_000;

/**
 * One connection to a stream of market data, which all that follow it share: Alpaca lets an account have one at a time
 * (406, connection limit exceeded). Source: docs.alpaca.markets, streaming market data.
 */
export class DataConnection {
  readonly #parts: DataStreamParts;
  readonly #url: string;
  readonly #onEnd: () => void;
  readonly #followers = new Set<DataFollower>();
  readonly #closing = new AbortController();
  #socket: WebSocketLike | undefined;
  #isAuthenticated = false;
  #heardAt: number;
  #timer: Disposable | undefined;

  /** @param onEnd - it is of no more use */
  constructor(url: string, parts: DataStreamParts, onEnd: () => void) {
    this.#url = url;
    this.#parts = parts;
    this.#onEnd = onEnd;
    this.#heardAt = parts.clock.monotonic();
    void this.#open();
  }

  add(follower: DataFollower): Disposable {
    this.#followers.add(follower);
    if (this.#isAuthenticated) this.#ask('subscribe', follower.channel, follower.symbols);
    return { [Symbol.dispose]: () => this.#leave(follower) };
  }

  /** Has the venue send the whole of what it sends changes of. */
  renew(channel: string, symbol: string): void {
    this.#ask('unsubscribe', channel, [symbol]);
    this.#ask('subscribe', channel, [symbol]);
  }

  async #open(): Promise<void> {
    try {
      const WebSocket = await webSocketConstructor(this.#parts.constructor);
      this.#socket = await openSocket(WebSocket, this.#url, this.#closing.signal, {
        message: (text) => this.#take(text),
        closed: () => this.#fail(new VenueKitError('STREAM_LOST', 'The market stream was closed.')),
      });
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    const { key, secret } = this.#parts.credentials();
    this.#send({ action: 'auth', key, secret });
    this.#watch();
  }

  #take(message: string): void {
    this.#heardAt = this.#parts.clock.monotonic();
    try {
      const events = JSON.parse(message) as unknown;
      if (!Array.isArray(events)) throw new VenueKitError('BAD_ANSWER', 'the market stream sent no list of events');
      for (const event of events) this.#event(objectOf(event, 'event'));
    } catch (error) {
      // What can't be read may have been anything: the stream starts over.
      this.#fail(error as Error);
    }
  }

  #event(event: Json): void {
    if (event.T === 'success') {
      if (event.msg !== 'authenticated') return;
      this.#isAuthenticated = true;
      for (const { channel, symbols } of this.#followers) this.#ask('subscribe', channel, symbols);
    } else if (event.T === 'error') {
      const refusal = `Alpaca refused the market stream: code ${JSON.stringify(event.code)}, ${JSON.stringify(event.msg)}`;
      this.#fail(new VenueKitError('STREAM_REFUSED', refusal));
    } else if (event.T === 'subscription') for (const follower of this.#followers) follower.alive();
    else {
      const channel = CHANNELS[String(event.T)];
      for (const follower of this.#followers) if (follower.channel === channel && follower.symbols.includes(event.S as string)) follower.take(event);
    }
  }

  #leave(follower: DataFollower): void {
    if (!this.#followers.delete(follower)) return;
    if (this.#followers.size === 0) {
      this.#fail(new VenueKitError('CLOSED', 'Nobody follows the stream any more.'));
      return;
    }
    const { channel } = follower;
    const wanted = new Set([...this.#followers].filter((one) => one.channel === channel).flatMap(({ symbols }) => symbols));
    const left = follower.symbols.filter((symbol) => !wanted.has(symbol));
    if (this.#isAuthenticated && left.length > 0) this.#ask('unsubscribe', channel, left);
  }

  #watch(): void {
    this.#timer = this.#parts.clock.schedule(ASK_EVERY_MS, () => {
      if (this.#parts.clock.monotonic() - this.#heardAt > SILENCE_MS) {
        this.#fail(new VenueKitError('STREAM_LOST', `The market stream said nothing for ${SILENCE_MS} ms.`));
        return;
      }
      // Asked for again, what is subscribed stays so, and is listed in the answer.
      const [first] = this.#followers;
      if (this.#isAuthenticated && first !== undefined) this.#ask('subscribe', first.channel, first.symbols.slice(0, 1));
      this.#watch();
    });
  }

  #ask(action: 'subscribe' | 'unsubscribe', channel: string, symbols: readonly string[]): void {
    this.#send({ action, [channel]: symbols });
  }

  #send(message: object): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #fail(reason: Error): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(reason);
    this.#timer?.[Symbol.dispose]();
    this.#onEnd();
    for (const follower of this.#followers) follower.failed(reason);
    this.#followers.clear();
    this.#socket?.close();
  }
}

/** Which channel an event belongs to. */
const CHANNELS: Readonly<Record<string, string>> = { t: 'trades', q: 'quotes', o: 'orderbooks' };
