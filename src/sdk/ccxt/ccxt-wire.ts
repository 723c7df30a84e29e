import type { AnswerListener, BinanceWire, WireOutcome, WireRequest } from '../binance/wire.js';
import { type CallWatcher, watcherOf } from './call-record.js';
import type { CcxtBinance } from './exchange.js';
import { ONE_TRY, recordedCall } from './recorded-call.js';

const SPOT = '/api/v3/';
/** What anybody may ask for: the section of ccxt's that it is in. Everything else is private. */
const PUBLIC = ['time', 'ticker/bookTicker', 'depth', 'trades', 'klines'];

/** Requests through a ccxt binance instance, which signs them with the timestamp that it is given. */
export class CcxtWire implements BinanceWire {
  readonly #sdk: CcxtBinance;
  readonly #watcher: CallWatcher<CcxtBinance>;

  constructor(sdk: CcxtBinance) {
    this.#sdk = sdk;
    this.#watcher = watcherOf(sdk);
  }

  onAnswer(listener: AnswerListener): Disposable {
    return this.#watcher.onResponse(listener);
  }

  send({ method, path, params, areLimitsKept = false }: WireRequest, signal: AbortSignal): Promise<WireOutcome> {
    const name = path.slice(SPOT.length);
    const section = PUBLIC.includes(name) ? 'public' : 'private';
    const cost = this.#sdk.api[section]?.[method.toLowerCase()]?.[name];
    const config = typeof cost === 'object' ? cost : { cost };
    return this.run(areLimitsKept, (sdk) => sdk.request(name, section, method, { ...params, ...ONE_TRY }, undefined, undefined, config), signal);
  }

  /** Makes one call of the SDK, with its record. @param areLimitsKept - whether ccxt's own limiter is passed by */
  async run(areLimitsKept: boolean, work: (sdk: CcxtBinance) => Promise<unknown>, signal: AbortSignal): Promise<WireOutcome> {
    const outcome = await recordedCall(this.#watcher, areLimitsKept, work, signal);
    return 'error' in outcome ? outcome : { result: { json: outcome.result, native: outcome.result } };
  }
}
