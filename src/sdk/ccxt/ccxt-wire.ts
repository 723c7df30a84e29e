import { abortable } from '../../core/abort.js';
import type { AnswerListener, BinanceWire, WireOutcome, WireRequest } from '../binance/wire.js';
import { type CallOutcome, type CallRecord, type CallWatcher, watcherOf } from './call-record.js';
import type { CcxtBinance, EndpointName } from './exchange.js';

/** What ccxt calls the endpoints that we ask ourselves. */
const ENDPOINTS: Readonly<Record<string, EndpointName>> = {
  'POST /api/v3/order': 'privatePostOrder',
  'DELETE /api/v3/order': 'privateDeleteOrder',
  'GET /api/v3/order': 'privateGetOrder',
  'GET /api/v3/openOrders': 'privateGetOpenOrders',
  'GET /api/v3/allOrders': 'privateGetAllOrders',
  'GET /api/v3/myTrades': 'privateGetMyTrades',
  'GET /api/v3/time': 'publicGetTime',
  'GET /api/v3/ticker/bookTicker': 'publicGetTickerBookTicker',
  'GET /api/v3/depth': 'publicGetDepth',
  'GET /api/v3/trades': 'publicGetTrades',
  'GET /api/v3/klines': 'publicGetKlines',
};

// ccxt's own retries re-sign and so move the fence.
export const ONE_TRY = { maxRetriesOnFailure: 0 } as const;

/** Requests through a ccxt binance instance, which signs them with the timestamp that it is given. */
export class CcxtWire implements BinanceWire {
  readonly #sdk: CcxtBinance;
  readonly #watcher: CallWatcher;

  constructor(sdk: CcxtBinance) {
    this.#sdk = sdk;
    this.#watcher = watcherOf(sdk);
  }

  onAnswer(listener: AnswerListener): Disposable {
    return this.#watcher.onResponse(listener);
  }

  send({ method, path, params, areLimitsKept = false }: WireRequest, signal: AbortSignal): Promise<WireOutcome> {
    const name = ENDPOINTS[`${method} ${path}`] as EndpointName;
    return this.run(areLimitsKept, () => this.#sdk[name]({ ...params, ...ONE_TRY }), signal);
  }

  /** Makes one call of the SDK, with its record. @param areLimitsKept - whether ccxt's own limiter is passed by */
  async run(areLimitsKept: boolean, work: () => Promise<unknown>, signal: AbortSignal): Promise<WireOutcome> {
    if (signal.aborted) return { facts: { sent: false }, error: signal.reason };
    let started: CallRecord = { sent: true };
    const running = this.#watcher.run(areLimitsKept, work, (record) => {
      started = record;
    });
    let outcome: CallOutcome<unknown>;
    try {
      outcome = await abortable(running, signal);
    } catch (error) {
      // ccxt takes no signal: a request on its way goes on, and what becomes of it is not known. One
      // that has not left by now is held back, which makes "not sent" a proof.
      started.abandoned = true;
      return { facts: { sent: started.sent }, error };
    }
    if ('error' in outcome) return { facts: outcome.record, error: outcome.error };
    return { result: { json: outcome.result, native: outcome.result } };
  }
}
