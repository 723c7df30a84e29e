import { abortable } from '../../core/abort.js';
import { type AxiosAnswer, axiosFacts, axiosHeaders, withoutKeys } from '../shared/axios.js';
import { readerOf } from '../shared/http-facts.js';
import { Overrides } from '../shared/overrides.js';
import { stoppedBefore } from '../shared/stoppable.js';
import type { AlpacaV3 } from './sdk-shapes.js';
import { type AlpacaWire, type AnswerListener, AnswerListeners, type Route, type WireAnswer, type WireOutcome, type WireRequest } from './wire.js';

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
    overrides.wrap('httpRequest', () => (...args) => {
      const [endpoint, query, body, method] = args as Parameters<HttpRequest>;
      const answer = route({
        host: 'trading',
        method: method ?? 'GET',
        path: endpoint.startsWith('/') ? `/v2${endpoint}` : `/v2/${endpoint}`,
        query: (query ?? {}) as Readonly<Record<string, unknown>>,
        body: (body ?? undefined) as Readonly<Record<string, unknown>> | undefined,
        send: (_, other = body as Readonly<Record<string, unknown>>) => this.#request(endpoint, query, other, method),
      });
      // The answer to an order is kept, and given again to who asks again; every caller's is its own.
      return answer.then(method === 'POST' ? ownCopyOf : nativeOf);
    });
    return overrides;
  }

  #request(endpoint: string, query: unknown, body: unknown, method: string | undefined): Promise<WireOutcome> {
    return this.#http(endpoint, query, body, method).then(this.#answered, this.#failed);
  }

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

function nativeOf({ native }: WireAnswer): unknown {
  return native;
}

function ownCopyOf({ native }: WireAnswer): AxiosAnswer {
  const answer = native as AxiosAnswer;
  return { ...answer, data: structuredClone(answer.data) };
}

/** An answer that the venue has not given in these words. */
export function v3Answer(status: number, json?: unknown): WireAnswer {
  return { status, json, native: { status, headers: {}, data: json ?? '' } satisfies AxiosAnswer };
}
