import type { VenueEvent } from '../../../contracts/broker.js';
import type { Clock } from '../../../core/clock.js';
import { VenueKitError } from '../../../core/errors.js';
import { EventQueue } from '../../shared/streams/event-queue.js';
import { type WebSocketConstructor, webSocketConstructor } from '../../shared/streams/web-socket.js';
import { type ApiAnswer, ApiSession } from '../orders/api-session.js';
import { type BinanceCredentials, RequestSigner } from '../request-signing.js';
import { eventsOf } from './execution-report.js';

/** What a user stream is opened with. */
export interface UserStreamParts {
  /** Of the WebSocket API. */
  readonly url: string;
  readonly credentials: () => BinanceCredentials;
  readonly constructor: WebSocketConstructor | undefined;
  readonly clock: Clock;
  /** The symbol of a market id such as `BTCUSDT`. */
  readonly symbolOf: (marketId: string) => string;
  readonly onAnswer: (answer: ApiAnswer) => void;
}

/** Of silence, after which the venue is asked whether it is still there. */
const SILENCE_MS = 10_000;
const ANSWER_WITHIN_MS = 5_000;
const FENCE_MS = 10_000;

/**
 * Own orders and fills as they happen: one connection, until it drops, fails to answer, or the signal
 * aborts. Binance numbers no events, so nothing is known of what came before `synced` or was lost.
 */
export async function* userEvents(parts: UserStreamParts, signal: AbortSignal): AsyncGenerator<VenueEvent, void, undefined> {
  const session = await ApiSession.open(await webSocketConstructor(parts.constructor), parts.url, signal);
  const queue = new EventQueue<VenueEvent>(signal);
  session.onClosed = (reason) => queue.fail(reason);
  session.onEvent = (event) => {
    if (event.e === 'eventStreamTerminated') session.close();
    if (event.e !== 'executionReport') return;
    try {
      for (const one of eventsOf(event, parts.symbolOf(String(event.s)))) queue.push(one);
    } catch (error) {
      // One that can't be read may hide anything: what it was is read from the listings.
      queue.fail(error as Error);
    }
  };
  const watch = watchSilence(session, parts);
  try {
    await subscribe(session, parts, signal);
    yield { kind: 'synced' };
    yield* queue;
  } finally {
    watch[Symbol.dispose]();
    queue.fail(new VenueKitError('CLOSED', 'The stream was left.'));
    session.close();
  }
}

async function subscribe(session: ApiSession, parts: UserStreamParts, signal: AbortSignal): Promise<void> {
  const time = await answered(session, 'time', {}, parts, signal);
  const timestamp = (time.result as { readonly serverTime?: unknown } | undefined)?.serverTime;
  if (typeof timestamp !== 'number') throw refusal('time', time);
  const params = new RequestSigner(parts.credentials).sign({ timestamp, recvWindow: FENCE_MS });
  const subscribed = await answered(session, 'userDataStream.subscribe.signature', params, parts, signal);
  if (subscribed.status !== 200) throw refusal('userDataStream.subscribe.signature', subscribed);
}

async function answered(session: ApiSession, method: string, params: object, parts: UserStreamParts, signal: AbortSignal): Promise<ApiAnswer> {
  const timer = parts.clock.schedule(ANSWER_WITHIN_MS, () => session.close());
  const outcome = await session.request(method, params as Readonly<Record<string, unknown>>, signal);
  timer[Symbol.dispose]();
  if (outcome.kind !== 'answered') throw outcome.cause;
  parts.onAnswer(outcome.answer);
  return outcome.answer;
}

function refusal(method: string, { status, error }: ApiAnswer): VenueKitError {
  return new VenueKitError('STREAM_REFUSED', `Binance refused ${method}: status ${status}, code ${error?.code}, ${error?.msg}`);
}

// A stream of own orders may be silent for hours; a dead connection is silent, too.
function watchSilence(session: ApiSession, { clock, onAnswer }: UserStreamParts): Disposable {
  let timer: Disposable;
  let received = -1;
  const look = (): void => {
    timer = clock.schedule(SILENCE_MS, look);
    if (session.received !== received) {
      received = session.received;
      return;
    }
    const deadline = clock.schedule(ANSWER_WITHIN_MS, () => session.close());
    void session.request('ping', {}).then((outcome) => {
      deadline[Symbol.dispose]();
      if (outcome.kind === 'answered') onAnswer(outcome.answer);
    });
  };
  timer = clock.schedule(SILENCE_MS, look);
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
