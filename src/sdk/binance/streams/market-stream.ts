import type { MarketKind, StreamUpdate } from '../../../contracts/market-data.js';
import type { Clock } from '../../../core/clock.js';
import { VenueKitError } from '../../../core/errors.js';
import { type Json, listOf, number, objectOf, text } from '../../shared/json.js';
import { EventQueue } from '../../shared/streams/event-queue.js';
import { openSocket, type WebSocketConstructor, webSocketConstructor } from '../../shared/streams/web-socket.js';
import { BookFollower } from './book-follower.js';
import type { BookChange, BookSnapshot } from './local-book.js';

/** What market streams are opened with. */
export interface MarketStreamParts {
  /** Of the combined streams, such as `wss://stream.binance.com:9443/stream`. */
  readonly url: string;
  readonly constructor: WebSocketConstructor | undefined;
  readonly clock: Clock;
  /** @throws when the venue does not list it. */
  readonly marketIdOf: (symbol: string) => Promise<string>;
  readonly bookSnapshot: (symbol: string, signal: AbortSignal) => Promise<BookSnapshot>;
}

/** Which stream carries a kind. Bars are not streamed: one bar is no answer to who reads a hundred. */
const STREAMS = { quote: 'bookTicker', book: 'depth@100ms', trades: 'trade' } as const;
export type StreamedKind = keyof typeof STREAMS;

/** Levels of a side in a streamed book. */
const BOOK_DEPTH = 500;
/** Quiet streams are attested by the venue's answer to a question that costs nothing. */
const ASK_EVERY_MS = 1_000;
const SILENCE_MS = 10_000;

export function isStreamedKind(kind: MarketKind): kind is StreamedKind {
  return kind in STREAMS;
}

/** Updates of `kind` for `symbols` over one connection, until it drops or the signal aborts. */
export async function* marketUpdates(
  parts: MarketStreamParts,
  kind: StreamedKind,
  symbols: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<StreamUpdate, void, undefined> {
  const queue = new EventQueue<StreamUpdate>(signal);
  const left = new AbortController();
  const followers = new Map<string, (data: Json) => void>();
  const stops: (() => void)[] = [];
  for (const symbol of symbols) {
    const id = await parts.marketIdOf(symbol);
    const { take, stop } = followerOf(parts, kind, symbol, left.signal, (update) => queue.push(update));
    followers.set(`${id.toLowerCase()}@${STREAMS[kind]}`, take);
    if (stop !== undefined) stops.push(stop);
  }
  let heardAt = parts.clock.monotonic();
  const take = (message: string): void => {
    heardAt = parts.clock.monotonic();
    try {
      const json = objectOf(JSON.parse(message), 'a stream message');
      if (typeof json.stream === 'string') followers.get(json.stream)?.(objectOf(json.data, 'stream data'));
      else if (Array.isArray(json.result)) queue.push({ kind, symbol: '*', heartbeat: true });
    } catch (error) {
      // What can't be read may have been anything: the stream starts over.
      queue.fail(error as Error);
    }
  };
  const url = `${parts.url}?streams=${[...followers.keys()].join('/')}`;
  const socket = await openSocket(await webSocketConstructor(parts.constructor), url, signal, {
    message: take,
    closed: () => queue.fail(new VenueKitError('STREAM_LOST', 'The market stream was closed.')),
  });
  let asked = 0;
  let timer: Disposable;
  const ask = (): void => {
    timer = parts.clock.schedule(ASK_EVERY_MS, ask);
    if (parts.clock.monotonic() - heardAt > SILENCE_MS)
      queue.fail(new VenueKitError('STREAM_LOST', `The market stream said nothing for ${SILENCE_MS} ms.`));
    else socket.send(JSON.stringify({ method: 'LIST_SUBSCRIPTIONS', id: ++asked }));
  };
  timer = parts.clock.schedule(ASK_EVERY_MS, ask);
  try {
    yield* queue;
  } finally {
    timer[Symbol.dispose]();
    for (const stop of stops) stop();
    left.abort(new VenueKitError('CLOSED', 'The stream was left.'));
    queue.fail(new VenueKitError('CLOSED', 'The stream was left.'));
    socket.close();
  }
}

interface Follower {
  readonly take: (data: Json) => void;
  readonly stop?: () => void;
}

function followerOf(
  parts: MarketStreamParts,
  kind: StreamedKind,
  symbol: string,
  signal: AbortSignal,
  emit: (update: StreamUpdate) => void,
): Follower {
  if (kind === 'quote') return { take: (data) => emit(quoteUpdate(data, symbol)) };
  if (kind === 'trades') return tradesFollower(symbol, emit);
  const snapshot = (): Promise<BookSnapshot> => parts.bookSnapshot(symbol, signal);
  const follower = new BookFollower({ symbol, depth: BOOK_DEPTH, clock: parts.clock, snapshot, emit });
  return { take: (data) => follower.take(changeOf(data)), stop: () => follower.stop() };
}

// Each best price stands for itself: what was missed before it does not matter.
function quoteUpdate(data: Json, symbol: string): StreamUpdate<'quote'> {
  const value = { symbol, bid: number(data, 'b'), ask: number(data, 'a'), bidSize: number(data, 'B'), askSize: number(data, 'A') };
  return { kind: 'quote', symbol, value, seq: number(data, 'u') };
}

// Trade ids of a symbol have no holes, so each says what must have come before it.
function tradesFollower(symbol: string, emit: (update: StreamUpdate) => void): Follower {
  let last: number | undefined;
  return {
    take: (data) => {
      const seq = number(data, 't');
      if (last !== undefined && seq <= last) return;
      const isFirst = last === undefined;
      last = seq;
      const eventTime = number(data, 'T');
      const side = data.m === true ? ('sell' as const) : ('buy' as const);
      const value = [{ id: text(data, 't'), symbol, price: number(data, 'p'), size: number(data, 'q'), side, eventTime }];
      emit({ kind: 'trades', symbol, value, seq, ...(isFirst ? {} : { previousSeq: seq - 1 }), eventTime });
    },
  };
}

/** A depth update as the venue sends it. */
export function changeOf(data: Json): BookChange {
  return {
    first: number(data, 'U'),
    last: number(data, 'u'),
    bids: levelsOf(data.b, 'b'),
    asks: levelsOf(data.a, 'a'),
    eventTime: number(data, 'E'),
  };
}

/** Levels as pairs of numbers. */
export function levelsOf(value: unknown, what: string): readonly (readonly [price: number, size: number])[] {
  return listOf(value, what).map((level) => {
    const [price, size] = listOf(level, what);
    return [Number(price), Number(size)] as const;
  });
}
