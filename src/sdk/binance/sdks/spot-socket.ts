import { factsOf, withFacts } from '../../shared/error-facts.js';
import { type Json, objectOf } from '../../shared/json.js';
import { Overrides } from '../../shared/overrides.js';
import { type WatchedConnection, watchConnection } from '../../shared/streams/watched-connection.js';
import { type BinanceCredentials, RequestSigner } from '../request-signing.js';
import { KeptReports, streamPause } from '../streams/kept-reports.js';
import type { Params } from '../wire.js';
import { partsOf, type SdkCall, type SdkOutcome, type SocketKeeping } from './sdk-wire.js';
import { endpointOf } from './socket-endpoints.js';
import {
  type ReadAnswer,
  RefusedAnswer,
  readAnswerOf,
  refusedAnswerOf,
  type SocketAnswer,
  type SocketRefusal,
  socketAnswerOf,
} from './spot-answers.js';

/** One connection, as the SDK holds it. */
interface Connection {
  readonly ws?: WatchedConnection & {
    once(event: 'close', listener: () => void): unknown;
    off(event: 'close', listener: () => void): unknown;
  };
  readonly closeInitiated: boolean;
  readonly pendingRequests: Map<unknown, { reject(reason: unknown): void }>;
}

/** `websocketBase` of a connection to the WebSocket API, by shape; the package itself is never imported. */
export interface SpotSocketBase {
  readonly configuration: { readonly timeout?: number };
  isConnected(connection?: Connection): boolean;
  getConnection(): Connection;
  send(payload: string, id: string, promiseBased: true, timeoutMs: number | undefined, connection: Connection): Promise<SocketAnswer>;
  sendMessage(method: string, payload?: object, options?: object): Promise<unknown>;
  onMessage(text: string, connection: Connection): void;
  onOpen(url: string, connection: Connection, before?: Connection['ws']): void;
  enqueueReconnection(connection: Connection, url: string, isRenewal: boolean): void;
  disconnect(): Promise<void>;
  on(event: 'error', listener: () => void): void;
  off(event: 'error', listener: () => void): void;
}

/** What a socket is kept with. */
export interface SpotSocketParts extends SocketKeeping {
  readonly credentials: () => BinanceCredentials;
  /** Runs a call of this socket so that requests which are made for it find their way back here. */
  readonly within: <T>(socket: SpotSocket, work: () => T) => T;
}

const SUBSCRIBE = 'userDataStream.subscribe.signature';
const UNSUBSCRIBE = 'userDataStream.unsubscribe';
const NO_ANSWER = { sent: true } as const;

/**
 * One object that the bot has got from `websocketAPI.connect()`: its requests pass by the order path, limits and retries, and go out
 * over the SDK's own connection; the account's events outlive that.
 */
export class SpotSocket implements Disposable {
  readonly #base: SpotSocketBase;
  readonly #parts: SpotSocketParts;
  readonly #overrides: Overrides;
  readonly #configured: Overrides;
  readonly #signer: RequestSigner;
  readonly #statuses = new WeakMap<object, number>();
  readonly #watches = new Set<Disposable>();
  readonly #send: SpotSocketBase['sendMessage'];
  readonly #handle: SpotSocketBase['onMessage'];
  /** Events as they came. */
  readonly #texts = new WeakMap<object, string>();
  #calls = 0;
  #failures = 0;
  #reports: KeptReports | undefined;
  /** Where the account's events come in. */
  #feed: Connection['ws'];

  /** @param onLeft - the bot has ended it */
  constructor(base: SpotSocketBase, parts: SpotSocketParts, onLeft: () => void) {
    this.#base = base;
    this.#parts = parts;
    this.#signer = new RequestSigner(parts.credentials);
    this.#send = base.sendMessage.bind(base);
    this.#handle = base.onMessage.bind(base);
    // Its own pause is five seconds, always.
    this.#configured = new Overrides(base.configuration);
    this.#configured.compute('reconnectDelay', () => streamPause(++this.#failures));
    this.#overrides = new Overrides(base);
    this.#overrides.put('sendMessage', (method: string, payload?: object, options?: object) => this.#request(method, payload, options));
    this.#overrides.put('onMessage', (text: string, connection: Connection) => this.#take(text, connection));
    this.#overrides.wrap<SpotSocketBase['onOpen']>('onOpen', (handle) => (url, connection, before) => {
      this.#failures = 0;
      handle(url, connection, before);
      if (before !== undefined && before !== connection.ws) this.#renewed(url, connection);
      // One that takes the place of another has none of its subscriptions.
      if (this.#reports !== undefined && (this.#feed === undefined || this.#feed === before)) void this.#resubscribe(connection);
    });
    this.#overrides.wrap<SpotSocketBase['disconnect']>('disconnect', (disconnect) => () => {
      this.#leave();
      onLeft();
      return disconnect();
    });
    // An attempt to connect anew that fails would end the process, where nobody listens.
    base.on('error', ignore);
  }

  /** Whether requests that are signed here can go out over it. */
  get isUsable(): boolean {
    return this.#base.isConnected() && this.#parts.credentials().apiKey !== '';
  }

  /** Sends one signed request over the SDK's own connection, once. Never rejects. */
  async call(method: string, params: Params, timeoutMs: number): Promise<SdkOutcome> {
    let isSent = false;
    let gone: (() => void) | undefined;
    let connection: Connection | undefined;
    try {
      const id = `venuekit-${++this.#calls}`;
      connection = this.#base.getConnection();
      const payload = JSON.stringify({ id, method, params: this.#signer.sign(params) });
      const { ws, pendingRequests } = connection;
      if (!this.#base.isConnected(connection)) return { error: new Error('Not connected'), facts: { sent: false } };
      isSent = true;
      const answer = this.#base.send(payload, id, true, timeoutMs, connection);
      // By itself it would wait until its time limit.
      gone = () => pendingRequests.get(id)?.reject(new Error('Connection closed unexpectedly.'));
      ws?.once('close', gone);
      return answered(await answer);
    } catch (error) {
      return isSent ? this.#failed(error) : { error, facts: { sent: false } };
    } finally {
      if (gone !== undefined) connection?.ws?.off('close', gone);
    }
  }

  [Symbol.dispose](): void {
    this.#overrides[Symbol.dispose]();
    this.#configured[Symbol.dispose]();
    this.#base.off('error', ignore);
    for (const watch of this.#watches) watch[Symbol.dispose]();
  }

  async #request(method: string, payload: object = {}, options: object = {}): Promise<unknown> {
    const endpoint = endpointOf(method);
    if (endpoint === undefined) {
      const answer = await this.#send(method, payload, options);
      if (method === UNSUBSCRIBE) this.#leave();
      return answer;
    }
    const { id: _, ...params } = payload as { readonly id?: unknown };
    const send: SdkCall['send'] = async () => {
      if (!this.#base.isConnected()) return { error: new Error('Not connected'), facts: { sent: false } };
      // The SDK takes out of the parameters what it reads of them.
      return this.#send(method, { ...payload }, options).then(
        (answer) => answered(answer as SocketAnswer),
        (error: unknown) => this.#failed(error),
      );
    };
    const { path, params: all } = partsOf(endpoint.path, params);
    try {
      const answer = await this.#parts.within(this, () => this.#parts.route({ method: endpoint.method, path, params: all, send }));
      return socketAnswerOf(answer as ReadAnswer);
    } catch (error) {
      if (!(error instanceof RefusedAnswer)) throw error;
      const facts = factsOf(error);
      throw facts === undefined ? error.socketRefusal : withFacts(error.socketRefusal, facts);
    }
  }

  #failed(error: unknown): SdkOutcome {
    const status = typeof error === 'object' && error !== null ? this.#statuses.get(error) : undefined;
    if (status === undefined) return { error, facts: NO_ANSWER };
    const refused = refusedAnswerOf(status, error as SocketRefusal);
    const { headers, data } = refused.response;
    return { error: refused, facts: { sent: true, status, headers, body: data } };
  }

  #take(text: string, connection: Connection): void {
    const frame = frameOf(text);
    const status = frame?.status;
    if (typeof status === 'number' && status >= 400) this.#noteStatus(connection, frame?.id, status);
    if (this.#reports !== undefined && isEvent(frame)) {
      const event = objectOf(frame.event, 'event');
      this.#texts.set(event, text);
      this.#reports.take(event);
      if (event.e === 'eventStreamTerminated') this.#ended(connection);
      return;
    }
    this.#handle(text, connection);
    if (isSubscribed(frame)) this.#subscribed(connection);
  }

  // The SDK rejects with the venue's words alone.
  #noteStatus({ pendingRequests }: Connection, id: unknown, status: number): void {
    const pending = pendingRequests.get(id);
    if (pending === undefined) return;
    const { reject } = pending;
    pending.reject = (reason) => {
      if (typeof reason === 'object' && reason !== null) this.#statuses.set(reason, status);
      reject(reason);
    };
  }

  #subscribed(connection: Connection): void {
    const { ws } = connection;
    if (ws === undefined) return;
    const { path, closing } = this.#parts;
    this.#reports ??= new KeptReports(path, closing, (event) => this.#handle(this.#texts.get(event) ?? JSON.stringify({ event }), connection));
    if (this.#feed !== ws) {
      this.#feed = ws;
      const watch = watchConnection(ws, path.session.clock, closing);
      this.#watches.add(watch);
      ws.once('close', () => {
        watch[Symbol.dispose]();
        this.#watches.delete(watch);
        if (this.#feed === ws) this.#lost();
      });
    }
    this.#reports.subscribed();
  }

  /** One that took the place of another before its day was over is lost for good to the SDK, once it drops. */
  #renewed(url: string, connection: Connection): void {
    const { ws } = connection;
    const { path, closing } = this.#parts;
    const isLeft = (): boolean => connection.ws !== ws || connection.closeInitiated || closing.aborted;
    ws?.once('close', () => {
      if (isLeft()) return;
      path.session.clock.schedule(streamPause(++this.#failures), () => {
        if (!isLeft()) this.#base.enqueueReconnection(connection, url, false);
      });
    });
  }

  #lost(): void {
    this.#feed = undefined;
    this.#reports?.lost();
  }

  /** The venue has ended the subscription, and not the connection. */
  #ended(connection: Connection): void {
    this.#lost();
    void this.#resubscribe(connection);
  }

  #leave(): void {
    this.#feed = undefined;
    this.#reports = undefined;
  }

  async #resubscribe(connection: Connection): Promise<void> {
    const { clock, logger } = this.#parts.path.session;
    const { ws } = connection;
    for (let failures = 1; this.#reports !== undefined && connection.ws === ws && this.#base.isConnected(connection); failures++) {
      try {
        await this.#send(SUBSCRIBE, {}, { isSigned: true, withApiKey: false });
        return;
      } catch (error) {
        logger.warn({ error, failures }, 'the events of the account could not be subscribed to again; it is tried again');
        await clock.sleep(streamPause(failures), this.#parts.closing).catch(() => {});
        if (this.#parts.closing.aborted) return;
      }
    }
  }
}

function ignore(): void {
  // What is to be done about it is done on the close that follows.
}

function answered(answer: SocketAnswer): SdkOutcome {
  const native = readAnswerOf(answer);
  return { result: { json: answer.data, native }, status: native.status, header: (name) => native.headers[name] };
}

function frameOf(text: string): Json | undefined {
  try {
    return objectOf(JSON.parse(text), 'frame');
  } catch {
    return undefined;
  }
}

function isEvent(frame: Json | undefined): frame is Json & { readonly event: object } {
  const event = frame?.event;
  return typeof event === 'object' && event !== null && 'e' in event && event.e !== 'serverShutdown';
}

function isSubscribed(frame: Json | undefined): boolean {
  const result = frame?.result as { readonly subscriptionId?: unknown } | null | undefined;
  return frame?.status === 200 && typeof result === 'object' && result !== null && typeof result.subscriptionId === 'number';
}
