import type { VenueEvent } from '../../../contracts/broker.js';
import type { Clock } from '../../../core/clock.js';
import { VenueKitError } from '../../../core/errors.js';
import { type Json, objectOf } from '../../shared/json.js';
import { EventQueue } from '../../shared/streams/event-queue.js';
import { openSocket, type WebSocketConstructor, webSocketConstructor } from '../../shared/streams/web-socket.js';
import { venueOrderOf } from '../orders.js';

/** What the stream of own orders is opened with. */
export interface TradeEventParts {
  readonly url: string;
  readonly credentials: () => { readonly key: string; readonly secret: string };
  readonly constructor: WebSocketConstructor | undefined;
  readonly clock: Clock;
}

/** Of silence, after which the venue is asked whether it is still there. */
const SILENCE_MS = 10_000;
const ANSWER_WITHIN_MS = 5_000;
const LISTEN = JSON.stringify({ action: 'listen', data: { streams: ['trade_updates'] } });

/**
 * Own orders as they change: one connection, until it drops, fails to answer, or the signal aborts. Alpaca numbers no
 * updates. Fills are not told here: whether an update's execution id is that of the account's activities is not
 * documented, and a fill under two names would count twice; they are read from the activities.
 * Source: docs.alpaca.markets, websocket streaming.
 */
export async function* tradeEvents(parts: TradeEventParts, signal: AbortSignal): AsyncGenerator<VenueEvent, void, undefined> {
  const queue = new EventQueue<VenueEvent>(signal);
  let timer: Disposable | undefined;
  const askAfter = (silenceMs: number): void => {
    timer?.[Symbol.dispose]();
    timer = parts.clock.schedule(silenceMs, () => {
      // Saying again what is listened to changes nothing, and is answered.
      socket.send(LISTEN);
      timer = parts.clock.schedule(ANSWER_WITHIN_MS, () => queue.fail(new VenueKitError('STREAM_LOST', 'The order stream no longer answers.')));
    });
  };
  let isSynced = false;
  const take = (message: string): void => {
    try {
      const frame = objectOf(JSON.parse(message), 'a frame of the order stream');
      const data = objectOf(frame.data ?? {}, 'data');
      if (frame.stream === 'authorization') {
        if (data.status !== 'authorized') throw new VenueKitError('STREAM_REFUSED', 'Alpaca refused the credentials on its order stream.');
        socket.send(LISTEN);
      } else if (frame.stream === 'listening') {
        if (!isSynced) queue.push({ kind: 'synced' });
        isSynced = true;
      } else if (frame.stream === 'trade_updates') queue.push({ kind: 'order', order: venueOrderOf(objectOf(data.order, 'order'), same) });
      askAfter(SILENCE_MS);
    } catch (error) {
      // What can't be read may hide anything: what it was is read from the lists.
      queue.fail(error as Error);
    }
  };
  const socket = await openSocket(await webSocketConstructor(parts.constructor), parts.url, signal, {
    message: take,
    closed: () => queue.fail(new VenueKitError('STREAM_LOST', 'The order stream was closed.')),
  });
  try {
    const { key, secret } = parts.credentials();
    socket.send(JSON.stringify({ action: 'authenticate', data: { key_id: key, secret_key: secret } } satisfies Json));
    askAfter(SILENCE_MS);
    yield* queue;
  } finally {
    timer?.[Symbol.dispose]();
    queue.fail(new VenueKitError('CLOSED', 'The stream was left.'));
    socket.close();
  }
}

function same(symbol: string): string {
  return symbol;
}
