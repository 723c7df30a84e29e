import { fromNumber } from '../../../core/decimal.js';
import { asError } from '../../../core/errors.js';
import { factsOf, withFacts } from '../../shared/error-facts.js';
import { Overrides } from '../../shared/overrides.js';
import { partsOf, type SdkCall, type SdkOutcome } from './sdk-wire.js';
import { Heard, type ReadAnswer, type SpotResponse } from './spot-answers.js';

type Values = Readonly<Record<string, unknown>>;

/** A request as the SDK has made it of what the bot gave, before it signs and sends it. */
interface SpotRequest {
  readonly endpoint: string;
  readonly method: string;
  readonly queryParams?: Values;
  readonly bodyParams?: Values;
}

type RequestMaker = (...given: unknown[]) => Promise<SpotRequest>;
type SpotMethod = (this: object, ...given: unknown[]) => Promise<SpotResponse>;

/** A part of `restAPI`, such as `marketApi`: each method has one of the same name that makes its request. */
interface SpotPart {
  readonly localVarAxiosParamCreator: Readonly<Record<string, RequestMaker>>;
}

/** What a method of the SDK sends by: handed to axios, whole. */
type AxiosOptions = Readonly<Record<string, unknown>>;

/** One run of a method of the SDK. */
interface Run {
  /** Of its request: to what it is, or may be. */
  request(made: Promise<SpotRequest>): Promise<SpotRequest>;
  /** Set before the method sends. */
  readonly options: AxiosOptions;
}

/** How the gate's calls are sent, and where they go. */
export interface SpotGateParts {
  readonly route: (call: SdkCall) => Promise<unknown>;
  /** The configuration for a run that is about to send: read whole before anything else happens. */
  readonly configured: (options: AxiosOptions) => object;
  /** What the bot gives axios, as it is now. */
  readonly own: () => AxiosOptions;
  readonly timeoutMs: number;
}

/** They take a request as it is. */
const GENERIC = ['sendRequest', 'sendSignedRequest'];

/**
 * Holds every call of `restAPI` between its parameters and its sending. A method of the SDK sends by a function of its module, which
 * nobody can replace; but it reads how from `this`. So it runs on a view of its object: one whose request waits until the call may go
 * out, and whose configuration hears the answer, of which the SDK's errors keep nothing.
 *
 * @throws TypeError where a method is made in another way, and would slip by.
 */
export function keepSpotCalls(restAPI: object, parts: SpotGateParts): Disposable {
  const kept: Overrides[] = [];
  const keep = (target: object, names: readonly string[], runnerOf: (name: string) => (given: readonly unknown[]) => Start): void => {
    const overrides = new Overrides(target);
    for (const name of names) {
      const runner = runnerOf(name);
      overrides.put(name, (...given: unknown[]) => new SpotCall(runner(given), parts).result);
    }
    kept.push(overrides);
  };
  for (const part of spotPartsOf(restAPI)) {
    const viewOf = viewsOf(part, parts);
    keep(part, methodsOf(part), (name) => {
      const method = methodOf(part, name);
      return (given) => (run) => method.apply(viewOf(run), given as unknown[]);
    });
  }
  keep(restAPI, GENERIC, (name) => {
    const method = methodOf(restAPI, name);
    return (given) => {
      const [endpoint, verb, queryParams, bodyParams] = given as [string, string, Values?, Values?];
      const request = { endpoint, method: verb, queryParams, bodyParams } as SpotRequest;
      return async (run) => {
        await run.request(Promise.resolve(request));
        return method.apply(Object.create(restAPI, { configuration: { get: () => parts.configured(run.options) } }) as object, given as unknown[]);
      };
    };
  });
  return {
    [Symbol.dispose]: () => {
      for (const overrides of kept) overrides[Symbol.dispose]();
    },
  };
}

/** Runs a method once. */
type Start = (run: Run) => Promise<SpotResponse>;

const AT_ONCE: Run['request'] = (made) => made;
const NONE: AxiosOptions = {};

/** One call of the bot. Its first run starts at once and is held at its request, by which the call is known. */
class SpotCall implements Run {
  readonly result: Promise<SpotResponse>;
  options = NONE;
  readonly #start: Start;
  readonly #parts: SpotGateParts;
  readonly #first: Promise<SpotResponse>;
  #isRead = false;
  #letGo: (() => void) | undefined;
  /** What the SDK has thrown for a run. */
  #ownErrors: unknown[] | undefined;
  #resolve!: (response: SpotResponse) => void;
  #reject!: (error: unknown) => void;

  constructor(start: Start, parts: SpotGateParts) {
    this.#start = start;
    this.#parts = parts;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#first = start(this);
    // What the SDK refuses by itself never becomes a request; of what does, the route has the last word.
    this.#first.catch((error: unknown) => {
      if (this.options === NONE) this.#reject(error);
    });
  }

  async request(made: Promise<SpotRequest>): Promise<SpotRequest> {
    const request = await made;
    const isFree = new Promise<void>((resolve) => {
      this.#letGo = resolve;
    });
    const { endpoint, method, queryParams, bodyParams } = request;
    const verb = method.toUpperCase();
    this.#isRead = verb === 'GET';
    const { path, params } = partsOf(endpoint, textsOf(queryParams, bodyParams));
    this.#parts.route({ method: verb, path, params, send: this.#send }).then(this.#answered, this.#failed);
    await isFree;
    return request;
  }

  readonly #send = (): Promise<SdkOutcome> => {
    const { own, timeoutMs } = this.#parts;
    const options = own();
    const heard = new Heard();
    const transformResponse = options.transformResponse === undefined ? heard.hear : [heard.hear, options.transformResponse].flat();
    return this.#run({ ...options, timeout: timeoutMs, transformResponse }).then(
      (response) => heard.outcomeOf(response, this.#isRead),
      (error: unknown) => {
        (this.#ownErrors ??= []).push(error);
        return { error, facts: heard.factsOf(error) };
      },
    );
  };

  readonly #answered = (native: unknown): void => {
    const { response } = native as ReadAnswer;
    if (response !== undefined) this.#resolve(response);
    else void this.#made((config) => answerOf(native as ReadAnswer, config)).then(this.#resolve, this.#reject);
  };

  readonly #failed = (error: unknown): void => {
    if (this.#ownErrors?.includes(error) === true) this.#reject(error);
    else {
      const refuse = (): never => {
        throw asError(error);
      };
      const told = (made: unknown): void => {
        const facts = factsOf(error);
        this.#reject(facts === undefined ? made : withFacts(made, facts));
      };
      void this.#made(refuse).then(this.#resolve, told);
    }
  };

  /** What the SDK makes of an answer that it is given in place of one from the venue. */
  #made(answer: (config: object) => object): Promise<SpotResponse> {
    return this.#run({ ...this.#parts.own(), adapter: async (config: object) => answer(config) });
  }

  #run(options: AxiosOptions): Promise<SpotResponse> {
    const letGo = this.#letGo;
    if (letGo === undefined) return this.#start({ request: AT_ONCE, options });
    this.#letGo = undefined;
    this.options = options;
    letGo();
    return this.#first;
  }
}

function answerOf({ body, status, headers }: ReadAnswer, config: object): object {
  return { data: body, status, statusText: '', headers: { ...headers }, config, request: {} };
}

/** Values as the SDK writes them. */
function textsOf(...given: readonly (Values | undefined)[]): Record<string, unknown> {
  const texts: Record<string, unknown> = {};
  for (const values of given) {
    for (const name in values) {
      const value = values[name];
      texts[name] = typeof value === 'string' || value === null || value === undefined ? value : textOf(value);
    }
  }
  return texts;
}

function textOf(value: number | bigint | boolean | object): string {
  if (typeof value === 'number' && Number.isFinite(value)) return fromNumber(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Gives views of a part, each for one run. */
function viewsOf(part: SpotPart, { configured }: Pick<SpotGateParts, 'configured'>): (run: Run) => object {
  const makers = part.localVarAxiosParamCreator;
  class Requests {
    readonly run: Run;
    constructor(run: Run) {
      this.run = run;
    }
  }
  for (const name of methodsOf(part)) {
    Object.defineProperty(Requests.prototype, name, {
      value(this: Requests, ...given: unknown[]) {
        return this.run.request(makers[name]!(...given));
      },
    });
  }
  class View {
    readonly run: Run;
    readonly localVarAxiosParamCreator: Requests;
    constructor(run: Run) {
      this.run = run;
      this.localVarAxiosParamCreator = new Requests(run);
    }
    get configuration(): object {
      return configured(this.run.options);
    }
  }
  Object.setPrototypeOf(View.prototype, part);
  return (run) => new View(run);
}

/** @throws TypeError where a method of `restAPI` is in none of them. */
function spotPartsOf(restAPI: object): readonly SpotPart[] {
  const found = Object.values(restAPI).filter(
    (part: unknown): part is SpotPart => typeof part === 'object' && part !== null && 'localVarAxiosParamCreator' in part,
  );
  const known = new Set([
    ...GENERIC,
    ...found.flatMap((part) => methodsOf(part).filter((name) => typeof part.localVarAxiosParamCreator[name] === 'function')),
  ]);
  const unknown = [restAPI, ...found].flatMap((of) => methodsOf(of)).find((name) => !known.has(name));
  if (unknown !== undefined)
    throw new TypeError(
      `sdk is an object of @binance/spot whose restAPI.${unknown}() makes its request in a way that venuekit/binance does not know, so that it would pass unguarded: use @binance/spot 32, and tell us of the version`,
    );
  return found;
}

function methodsOf(of: object): readonly string[] {
  return Object.getOwnPropertyNames(Object.getPrototypeOf(of)).filter((name) => name !== 'constructor');
}

function methodOf(of: object, name: string): SpotMethod {
  return (of as Readonly<Record<string, SpotMethod>>)[name]!;
}
