import type { HostedWire } from '../alpaca/market-source.js';
import { type AlpacaHost, type AlpacaWire, type AnswerListener, AnswerListeners, type WireOutcome, type WireRequest } from '../alpaca/wire.js';
import { readerOf } from '../shared/http-facts.js';
import { type CallWatcher, watcherOf } from './call-record.js';
import type { CcxtAlpaca } from './exchange.js';
import { ONE_TRY, recordedCall } from './recorded-call.js';

/** What ccxt calls Alpaca's two APIs. */
const SECTIONS: Readonly<Record<AlpacaHost, string>> = { trading: 'trader', data: 'market' };
const OK = 200;

/** Requests through a ccxt alpaca instance, by their paths: ccxt puts together address, keys and body. */
export class AlpacaExchangeWire implements AlpacaWire, HostedWire {
  readonly #watcher: CallWatcher<CcxtAlpaca>;
  readonly #listeners = new AnswerListeners();

  constructor(sdk: CcxtAlpaca) {
    this.#watcher = watcherOf(sdk);
  }

  onAnswer(listener: AnswerListener): Disposable {
    return this.#listeners.add(listener);
  }

  send(request: WireRequest, signal: AbortSignal): Promise<WireOutcome> {
    return this.request('trading', request, signal);
  }

  request(host: AlpacaHost, { method, path, query, body }: WireRequest, signal: AbortSignal): Promise<WireOutcome> {
    const params = Object.fromEntries(Object.entries({ ...query, ...body }).filter(([, value]) => value !== undefined));
    return this.run(host, (sdk) => sdk.fetch2(path.slice(1), [SECTIONS[host], 'private'], method, { ...params, ...ONE_TRY }), signal);
  }

  /** Makes one call of the SDK for an API whose limits are kept. */
  async run(host: AlpacaHost, work: (sdk: CcxtAlpaca) => Promise<unknown>, signal: AbortSignal): Promise<WireOutcome> {
    const outcome = await recordedCall(this.#watcher, true, work, signal);
    const { status, headers } = 'error' in outcome ? outcome.facts : outcome.record;
    if (status !== undefined) this.#listeners.tell(host, status, readerOf(headers));
    return 'error' in outcome ? outcome : { result: { status: status ?? OK, json: outcome.result, native: outcome.result } };
  }
}
