import { abortable } from '../../core/abort.js';
import { type AxiosAnswer, axiosFacts, axiosHeaders, withoutKeys } from '../shared/axios.js';
import { readerOf } from '../shared/http-facts.js';
import { Overrides } from '../shared/overrides.js';
import { stoppedBefore } from '../shared/stoppable.js';
import type { AlpacaV3 } from './sdk-shapes.js';
import {
  type AlpacaWire,
  type AnswerListener,
  AnswerListeners,
  type GatedCall,
  nameAt,
  type Route,
  type WireAnswer,
  type WireOutcome,
  type WireRequest,
} from './wire.js';

type HttpRequest = AlpacaV3['httpRequest'];

/** What axios throws where there was an answer. */
interface AxiosFailure {
  readonly response?: AxiosAnswer;
}

/**
 * Requests of the Trading API through @alpacahq/alpaca-trade-api 3: at `httpRequest`, which all its methods for that API call.
 * Its market data goes other ways, see {@link V3Data}.
 */
export class V3Wire implements AlpacaWire {
  readonly #sdk: AlpacaV3;
  readonly #http: HttpRequest;
  readonly #listeners = new AnswerListeners();

  constructor(sdk: AlpacaV3) {
    this.#sdk = sdk;
    this.#http = sdk.httpRequest.bind(sdk);
  }

  onAnswer(listener: AnswerListener): Disposable {
    return this.#listeners.add(listener);
  }

  send({ method, path, query, body }: WireRequest, signal: AbortSignal): Promise<WireOutcome> {
    // The SDK itself puts the version in front.
    const stopped = stoppedBefore(signal);
    if (stopped !== undefined) return Promise.resolve(stopped);
    const running = this.#request(path.replace(/^\/v2/, ''), query, body, method);
    // axios is given no signal here: a request on its way goes on, and what becomes of it is not known.
    return abortable(running, signal).catch((error: unknown) => ({ error, facts: { sent: true } }));
  }

  /** Sends every call for the Trading API by way of `route`. */
  gate(route: Route): Disposable {
    const overrides = new Overrides(this.#sdk);
    const httpRequest: HttpRequest = (endpoint, query, body, method) => {
      const answer = route(new V3Call(this.#request, endpoint, query as Fields | undefined, body as Fields | undefined, method));
      // The answer to an order is kept, and given again to who asks again; every caller's is its own.
      return answer.then(method === 'POST' ? ownCopyOf : nativeOf);
    };
    overrides.wrap<HttpRequest>('httpRequest', () => httpRequest);
    return overrides;
  }

  readonly #request: Request = (endpoint, query, body, method) => this.#http(endpoint, query, body, method).then(this.#answered, this.#failed);

  // Made once, and not for each of the requests.
  readonly #answered = (native: AxiosAnswer): WireOutcome => {
    this.#listeners.tell('trading', native.status, readerOf(native.headers));
    return { result: { status: native.status, json: native.data, native } };
  };

  readonly #failed = (thrown: unknown): WireOutcome => {
    const error = withoutKeys(thrown);
    const { response } = error as AxiosFailure;
    if (response !== undefined) this.#listeners.tell('trading', response.status, readerOf(axiosHeaders(response)));
    return { error, facts: axiosFacts(response) };
  };
}

type Fields = Readonly<Record<string, unknown>>;
type Request = (endpoint: string, query: unknown, body: unknown, method: string | undefined) => Promise<WireOutcome>;
const NONE: Fields = {};

/** A call of the bot: a record with methods, which costs a read less than one with closures. */
class V3Call implements GatedCall {
  readonly host = 'trading';
  private readonly request: Request;
  private readonly endpoint: string;
  private readonly params: Fields | undefined;
  private readonly own: Fields | undefined;
  private readonly verb: string | undefined;

  constructor(request: Request, endpoint: string, params: Fields | undefined, own: Fields | undefined, verb: string | undefined) {
    this.request = request;
    this.endpoint = endpoint;
    this.params = params;
    this.own = own;
    this.verb = verb;
  }

  get method(): string {
    return this.verb ?? 'GET';
  }

  /** The SDK itself puts the version in front. */
  get path(): string {
    return this.endpoint.startsWith('/') ? `/v2${this.endpoint}` : `/v2/${this.endpoint}`;
  }

  get operation(): string {
    return nameAt(this.endpoint, this.endpoint.startsWith('/') ? 1 : 0);
  }

  get query(): Fields {
    return this.params ?? NONE;
  }

  get body(): Fields | undefined {
    return this.own ?? undefined;
  }

  send(_: unknown, body = this.own): Promise<WireOutcome> {
    return this.request(this.endpoint, this.params, body, this.verb);
  }
}

function nativeOf({ native }: WireAnswer): AxiosAnswer {
  return native as AxiosAnswer;
}

function ownCopyOf({ native }: WireAnswer): AxiosAnswer {
  const answer = native as AxiosAnswer;
  return { ...answer, data: structuredClone(answer.data) };
}

/** An answer that the venue has not given in these words. */
export function v3Answer(status: number, json?: unknown): WireAnswer {
  return { status, json, native: { status, headers: {}, data: json ?? '' } satisfies AxiosAnswer };
}
