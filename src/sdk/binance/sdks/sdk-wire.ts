import { abortable } from '../../../core/abort.js';
import { type HeaderReader, readerOf } from '../../shared/http-facts.js';
import { stoppedBefore } from '../../shared/stoppable.js';
import type { OrderPath } from '../orders/order-path.js';
import { type BinanceCredentials, RequestSigner } from '../request-signing.js';
import type { MarketKeeping } from '../streams/kept-market-stream.js';
import {
  type AnswerListener,
  AnswerListeners,
  type BinanceWire,
  type GatedCall,
  type Params,
  type Route,
  type WireAnswer,
  type WireOutcome,
  type WireRequest,
} from '../wire.js';

/** How one request through an SDK ended, with what the answer said of the limits. */
export type SdkOutcome = WireOutcome & { readonly status?: number | undefined; readonly header?: HeaderReader | undefined };

/** A call of the bot as an SDK's gate sees it. */
export interface SdkCall extends Pick<GatedCall, 'method' | 'path' | 'params'> {
  send(): Promise<SdkOutcome>;
}

/** What the account's side of an SDK's sockets is kept with. */
export interface SocketKeeping {
  readonly path: OrderPath;
  /** The way of one call, as that of {@link BinanceSdk.gate}. */
  readonly route: (call: SdkCall) => Promise<unknown>;
  readonly closing: AbortSignal;
}

/** What differs between the SDKs for Binance: one file each. */
export interface BinanceSdk {
  /** As it is called on npm. */
  readonly name: string;
  /** It has a connection to the WebSocket API, and no REST. */
  readonly isSocketOnly?: true;
  /** Of the REST API, as it is now. */
  readonly baseUrl: string;
  /** As the SDK holds them now; undefined where it has none, or shows none. */
  credentials(): BinanceCredentials | undefined;
  /** Whether it has keys, where it does not show them. */
  canSign?(): boolean;
  /** What the SDK ends a request after, in ms; 0: never. */
  readonly timeoutMs: number;
  /** Retries of its own that are on. */
  readonly ownRetries?: { readonly option: string; readonly count: number; readonly wayOut: string };
  /** Signs in the SDK's way, where that is another than with a key at hand. */
  sign?(query: string): Promise<string>;
  /** The same as `request`, signed by an SDK that shows no keys: the venue must refuse it after `timestamp + recvWindow`. */
  signedRequest?(method: string, path: string, params: Readonly<Record<string, string>>): Promise<SdkOutcome>;
  /** Makes one request with the API key, once, ending it by itself after `timeoutMs`. Never rejects. */
  request(method: string, path: string, params: Readonly<Record<string, string>>, timeoutMs: number): Promise<SdkOutcome>;
  /** Sends every call of the bot by way of `route`, which resolves with what the SDK makes its result of. */
  gate(route: (call: SdkCall) => Promise<unknown>, timeoutMs: number): Disposable;
  /** `native` of an answer that the venue has not given in these words. @param like - of one that it has given */
  answered(like: unknown, json: object, path: string): unknown;
  /** What `native` of an answer is when it is kept and copied. */
  plain(native: unknown): unknown;
  /** Takes the account's side of the SDK's own sockets under it: orders, and what is told of them. */
  keepSockets?(parts: SocketKeeping): Disposable;
  /** The same for its market streams. */
  keepMarkets?(keeping: MarketKeeping): Disposable;
  /**
   * Sends a signed request over the socket that the present call of the bot came over. Never rejects.
   * @returns undefined where it came over none, or that is not open
   */
  overSocket?(method: string, path: string, params: Params, timeoutMs: number): Promise<SdkOutcome> | undefined;
}

/** Requests of our own through an SDK: signed here, with exactly the timestamp that the journal has, and sent by the SDK's own transport. */
export class SdkWire implements BinanceWire {
  readonly #sdk: BinanceSdk;
  readonly #timeoutMs: number;
  readonly #signer: RequestSigner;
  readonly #listeners = new AnswerListeners();

  constructor(sdk: BinanceSdk, timeoutMs: number) {
    this.#sdk = sdk;
    this.#timeoutMs = timeoutMs;
    this.#signer = new RequestSigner(() => sdk.credentials() ?? { apiKey: '', secret: '' });
  }

  onAnswer(listener: AnswerListener): Disposable {
    return this.#listeners.add(listener);
  }

  async send({ method, path, params, isSigned }: WireRequest, signal: AbortSignal): Promise<WireOutcome> {
    const stopped = stoppedBefore(signal);
    if (stopped !== undefined) return stopped;
    const overSocket = isSigned ? this.#sdk.overSocket?.(method, path, params, this.#timeoutMs) : undefined;
    if (overSocket !== undefined) return this.#until(signal, overSocket);
    const texts = textsOf(params);
    const { signedRequest } = this.#sdk;
    if (isSigned && signedRequest !== undefined) return this.#until(signal, signedRequest(method, path, texts));
    if (isSigned) {
      const query = new URLSearchParams(texts).toString();
      try {
        texts.signature = this.#sdk.sign === undefined ? this.#signer.signQuery(query) : await this.#sdk.sign(query);
      } catch (error) {
        return { error, facts: { sent: false } };
      }
    }
    return stoppedBefore(signal) ?? this.#until(signal, this.#sdk.request(method, path, texts, this.#timeoutMs));
  }

  gate(route: Route): Disposable {
    return this.#sdk.gate(this.#way(route), this.#timeoutMs);
  }

  /** The same for what the SDK has of sockets. @returns undefined where that is nothing of the account */
  keepSockets(route: Route, parts: Omit<SocketKeeping, 'route'>): Disposable | undefined {
    return this.#sdk.keepSockets?.({ ...parts, route: this.#way(route) });
  }

  /** @returns undefined where the SDK has none of its own */
  keepMarkets(keeping: MarketKeeping): Disposable | undefined {
    return this.#sdk.keepMarkets?.(keeping);
  }

  #way(route: Route): (call: SdkCall) => Promise<unknown> {
    return ({ method, path, params, send }) => route({ method, path, params, send: () => this.#heard(send()) }).then(nativeOf);
  }

  // The SDKs take no signal: a request on its way goes on, and what becomes of it is not known.
  #until(signal: AbortSignal, running: Promise<SdkOutcome>): Promise<WireOutcome> {
    return abortable(this.#heard(running), signal).catch((error: unknown) => ({ error, facts: { sent: true } }));
  }

  #heard(running: Promise<SdkOutcome>): Promise<WireOutcome> {
    return running.then(this.#hear, sentAndLost);
  }

  // Made once, and not for each of the requests.
  readonly #hear = (outcome: SdkOutcome): WireOutcome => {
    const status = 'facts' in outcome ? outcome.facts.status : outcome.status;
    if (status !== undefined) this.#listeners.tell(status, 'facts' in outcome ? readerOf(outcome.facts.headers) : (outcome.header ?? NO_HEADERS));
    return outcome;
  };
}

function sentAndLost(error: unknown): WireOutcome {
  return { error, facts: { sent: true } };
}

function nativeOf({ native }: WireAnswer): unknown {
  return native;
}

const NO_HEADERS: HeaderReader = () => undefined;

/** Values as they stand in a query: lists as JSON, what is absent left out. */
function textsOf(params: Params): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === null || value === '') continue;
    if (typeof value === 'string') texts[name] = value;
    else texts[name] = typeof value === 'number' || typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
  }
  return texts;
}

/** Path and parameters of a call whose path may hold a query of its own. What is empty is left out, as the SDKs and the venue do. */
export function partsOf(path: string, params: unknown): Pick<GatedCall, 'path' | 'params'> {
  const at = path.indexOf('?');
  const plain = at < 0 ? path : path.slice(0, at);
  const all = at < 0 ? (params as Params) : { ...Object.fromEntries(new URLSearchParams(path.slice(at + 1))), ...(params as Params) };
  const given: Record<string, unknown> = {};
  for (const name in all) if (Object.hasOwn(all, name) && !isEmpty(all[name])) given[name] = all[name];
  return { path: plain.startsWith('/') ? plain : `/${plain}`, params: given };
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}
