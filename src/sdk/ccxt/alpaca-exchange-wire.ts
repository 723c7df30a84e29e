import type { HostedWire } from '../alpaca/market-source.js';
import type { AlpacaHost, AlpacaWire, AnswerListener, WireAnswer, WireOutcome, WireRequest } from '../alpaca/wire.js';
import { type CallWatcher, watcherOf } from './call-record.js';
import type { CcxtAlpaca } from './exchange.js';
import { ONE_TRY, recordedCall } from './recorded-call.js';

/** What ccxt calls Alpaca's two APIs. */
const SECTIONS: Readonly<Record<AlpacaHost, string>> = { trading: 'trader', data: 'market' };
const OK = 200;
/** How paths of the market-data API begin, where both are at one address: behind a proxy, or in tests. */
const OF_DATA = ['/v2/stocks/', '/v1'];

/** Requests through a ccxt alpaca instance, by their paths: ccxt puts together address, keys and body. */
export class AlpacaExchangeWire implements AlpacaWire, HostedWire {
  readonly #sdk: CcxtAlpaca;
  readonly #watcher: CallWatcher<CcxtAlpaca>;

  constructor(sdk: CcxtAlpaca) {
    this.#sdk = sdk;
    this.#watcher = watcherOf(sdk);
  }

  onAnswer(listener: AnswerListener): Disposable {
    return this.#watcher.onResponse((status, header, url) => {
      const host = this.#hostOf(url);
      if (host !== undefined) listener(host, status, header);
    });
  }

  send(request: WireRequest, signal: AbortSignal): Promise<WireOutcome> {
    return this.request('trading', request, signal);
  }

  request(host: AlpacaHost, { method, path, query, body }: WireRequest, signal: AbortSignal): Promise<WireOutcome> {
    const params = Object.fromEntries(Object.entries({ ...query, ...body }).filter(([, value]) => value !== undefined));
    return this.run((sdk) => sdk.fetch2(path.slice(1), [SECTIONS[host], 'private'], method, { ...params, ...ONE_TRY }), signal);
  }

  /** Makes one call of the SDK, whose limits are kept. */
  async run(work: (sdk: CcxtAlpaca) => Promise<unknown>, signal: AbortSignal): Promise<WireOutcome> {
    const outcome = await recordedCall(this.#watcher, true, work, signal);
    return 'error' in outcome ? outcome : { result: answerOf(outcome.result, outcome.record.status) };
  }

  /** Undefined for the broker's API. */
  #hostOf(url: string): AlpacaHost | undefined {
    const { trader, market } = this.#sdk.urls?.api ?? {};
    if (trader !== market) return endIn(url, market) > 0 ? 'data' : endIn(url, trader) > 0 ? 'trading' : undefined;
    const end = endIn(url, trader);
    if (end === 0) return undefined;
    return OF_DATA.some((path) => url.startsWith(path, end)) ? 'data' : 'trading';
  }
}

/** Where an address, such as `https://data.{hostname}`, ends in a URL that leads there; 0 where it leads elsewhere. */
function endIn(url: string, address: unknown): number {
  if (typeof address !== 'string') return 0;
  const open = address.indexOf('{');
  const known = open < 0 ? address : address.slice(0, open);
  return url.startsWith(known) ? known.length : 0;
}

/** @param status - absent where ccxt keeps it to itself: a success */
export function answerOf(native: unknown, status: number = OK): WireAnswer {
  return { status, json: native, native };
}
