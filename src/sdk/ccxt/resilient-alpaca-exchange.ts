import QuickLRU from 'quick-lru';
import { systemClock } from '../../core/clock.js';
import { RequestedSource } from '../alpaca/market-source.js';
import { requireCapabilities } from '../alpaca/required-capabilities.js';
import { operationOf, ResilientAlpaca } from '../alpaca/resilient-alpaca.js';
import { requireRates } from '../alpaca/resilient-options.js';
import type { AlpacaHost, GatedCall, WireAnswer, WireOutcome } from '../alpaca/wire.js';
import type { SdkSession } from '../shared/sdk-session.js';
import { AlpacaExchangeWire, answerOf } from './alpaca-exchange-wire.js';
import type { EndpointCall, EndpointParams } from './endpoint-gate.js';
import type { CcxtAlpaca } from './exchange.js';
import { PlainReads } from './plain-reads.js';
import { GRACE_MS, ONE_TRY } from './recorded-call.js';
import type { CcxtResilientOptions } from './resilient-options.js';
import { switchOffCcxtRetries } from './to-adapter.js';

const HOSTS: Readonly<Record<string, AlpacaHost>> = { trader: 'trading', market: 'data' };

/** Every REST call of a ccxt alpaca instance through the order path of Alpaca. */
export class ResilientAlpacaExchange implements Disposable {
  readonly session: SdkSession;
  readonly #sdk: CcxtAlpaca;
  readonly #wire: AlpacaExchangeWire;
  readonly #path: ResilientAlpaca;
  readonly #reads: PlainReads<WireAnswer>;
  /** By the paths as ccxt has them, ids left open. */
  readonly #operations = new QuickLRU<string, string>({ maxSize: 500 });

  constructor(sdk: CcxtAlpaca, { cache: _, ...options }: CcxtResilientOptions) {
    requireCapabilities('resilient', options.capabilities);
    requireRates(options.requestsPerMinute);
    switchOffCcxtRetries(sdk, options);
    this.#sdk = sdk;
    const { clock = systemClock } = options;
    this.#wire = new AlpacaExchangeWire(sdk);
    this.#path = new ResilientAlpaca(
      {
        wire: this.#wire,
        source: new RequestedSource(this.#wire, () => clock.now()),
        timeoutMs: sdk.timeout + GRACE_MS,
        // What ccxt makes of an answer without a body.
        made: (status) => ({ status, json: '', native: '' }),
        canSign: () => this.#canSign,
      },
      options,
    );
    this.session = this.#path.session;
    this.#reads = new PlainReads(sdk, { areLimitsKept: true, answerOf: (native) => answerOf(native) });
  }

  [Symbol.dispose](): void {
    this.#reads[Symbol.dispose]();
  }

  get #canSign(): boolean {
    return this.#sdk.apiKey !== undefined && this.#sdk.apiKey !== '';
  }

  /** The way of one call. */
  route(call: EndpointCall): Promise<unknown> {
    const { api, method, path, params } = call;
    const host = hostOf(api);
    // The broker's own API is left to the bot; of an account without keys ccxt itself says what is missing.
    if (host === undefined || (host === 'trading' && !this.#canSign)) return call.send(this.#sdk);
    if (method === 'GET') return this.#path.route(new ReadCall(this.#reads, call, host, this.#operationOf(host, path))).then(nativeOf);
    const [filled, rest] = filledIn(path, params);
    const gated: GatedCall = {
      host,
      method,
      path: filled,
      ...(method === 'DELETE' ? { query: rest } : { body: rest }),
      send: ({ signal }, body) => this.#wire.run((sdk) => call.send(sdk, { ...params, ...body, ...ONE_TRY }), signal),
    };
    return this.#path.route(gated).then(nativeOf);
  }

  #operationOf(host: AlpacaHost, path: string): string {
    let operation = this.#operations.get(path);
    if (operation === undefined) this.#operations.set(path, (operation = operationOf(host, `/${path}`)));
    return operation;
  }
}

/** A read. Of most of them nobody asks for path and query. */
class ReadCall implements GatedCall {
  readonly method = 'GET';
  readonly host: AlpacaHost;
  readonly operation: string;
  private readonly reads: PlainReads<WireAnswer>;
  private readonly call: EndpointCall;

  constructor(reads: PlainReads<WireAnswer>, call: EndpointCall, host: AlpacaHost, operation: string) {
    this.reads = reads;
    this.call = call;
    this.host = host;
    this.operation = operation;
  }

  get path(): string {
    return filledIn(this.call.path, this.call.params)[0];
  }

  get query(): EndpointParams {
    return filledIn(this.call.path, this.call.params)[1];
  }

  send(): Promise<WireOutcome> {
    return this.reads.run(this.call);
  }
}

function nativeOf({ native }: WireAnswer): unknown {
  return native;
}

/** What ccxt calls Alpaca's two APIs begins with its name: `trader.private`. */
function hostOf(api: string): AlpacaHost | undefined {
  return HOSTS[api.slice(0, api.indexOf('.'))];
}

/** Such as `v2/orders/{order_id}` with what stands in its place, and the other parameters. */
function filledIn(path: string, params: EndpointParams): readonly [path: string, rest: EndpointParams] {
  const used: string[] = [];
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    used.push(name);
    return encodeURIComponent(String(params[name]));
  });
  return [`/${filled}`, Object.fromEntries(Object.entries(params).filter(([name]) => !used.includes(name)))];
}
