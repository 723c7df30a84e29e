import type { BrokerAdapter } from '../contracts/broker.js';
import type { Settled } from '../contracts/calls.js';
import type { Instrument } from '../contracts/market-data.js';
import type { OrderIntent } from '../contracts/orders.js';
import { TradingError } from '../contracts/trading-error.js';
import type { Clock } from '../core/clock.js';
import { compare, isMultipleOf, multiply } from '../core/decimal.js';
import type { VenueCalls } from './venue-calls.js';

/** How long what an instrument allows is believed. */
const FRESH_MS = 3_600_000;
/** How long a placement waits to hear it, at most, before it leaves the judgement to the venue. */
const PATIENCE_MS = 2_000;

/** What many adapters are beside a broker: a source of instruments. Found by shape. */
interface InstrumentSource {
  fetch(
    kind: 'instrument',
    requests: readonly { readonly symbol: string }[],
    attempt: { readonly signal: AbortSignal; readonly number: number },
  ): Promise<readonly Settled<Instrument>[]>;
}

/**
 * Refuses what the venue would refuse for its steps, before anything is written. Where the adapter
 * can't tell the steps, or doesn't answer in time, the venue is the judge.
 */
export class InstrumentFilters {
  readonly #source: InstrumentSource | undefined;
  readonly #calls: VenueCalls;
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly instrument: Instrument; readonly until: number }>();
  readonly #asked = new Map<string, Promise<void>>();
  readonly #silentUntil = new Map<string, number>();

  constructor(adapter: BrokerAdapter, calls: VenueCalls, clock: Clock) {
    this.#source = typeof (adapter as Partial<InstrumentSource>).fetch === 'function' ? (adapter as BrokerAdapter & InstrumentSource) : undefined;
    this.#calls = calls;
    this.#clock = clock;
  }

  /** Whether {@link check} can answer without asking. */
  isReady(symbol: string): boolean {
    return this.#source === undefined || this.#known.has(symbol) || (this.#silentUntil.get(symbol) ?? 0) > this.#clock.monotonic();
  }

  /** Learns what `symbol` allows, if that can be learnt soon. Never rejects. */
  async learn(symbol: string): Promise<void> {
    let asked = this.#asked.get(symbol);
    if (asked === undefined) {
      asked = this.#ask(symbol).finally(() => this.#asked.delete(symbol));
      this.#asked.set(symbol, asked);
    }
    await asked;
  }

  /** @throws TradingError INVALID that names the filter, its value and what was given. */
  check(intent: Pick<OrderIntent, 'symbol' | 'qty' | 'quoteQty' | 'price' | 'stopPrice'>): void {
    const known = this.#known.get(intent.symbol);
    if (known === undefined) return;
    if (known.until < this.#clock.monotonic()) void this.learn(intent.symbol);
    const { qtyStep, priceStep, minNotional } = known.instrument;
    if (intent.quoteQty === undefined && !isMultipleOf(intent.qty, qtyStep))
      throw breach(intent.symbol, 'qty', `a multiple of qtyStep ${qtyStep}`, intent.qty);
    for (const name of ['price', 'stopPrice'] as const) {
      const value = intent[name];
      if (value !== undefined && !isMultipleOf(value, priceStep)) throw breach(intent.symbol, name, `a multiple of priceStep ${priceStep}`, value);
    }
    if (minNotional === undefined || intent.price === undefined || intent.quoteQty !== undefined) return;
    const notional = multiply(intent.qty, intent.price);
    if (compare(notional, minNotional) < 0) throw breach(intent.symbol, 'qty × price', `at least minNotional ${minNotional}`, notional);
  }

  async #ask(symbol: string): Promise<void> {
    const source = this.#source;
    if (source === undefined) return;
    const now = this.#clock.monotonic();
    try {
      const deadlineAt = now + PATIENCE_MS;
      await this.#calls.limiter.acquire(this.#calls.costs('fetch'), { priority: 'place', symbol, deadlineAt });
      const [answer] = await this.#withPatience((attempt) => source.fetch('instrument', [{ symbol }], attempt));
      if (answer?.status !== 'fulfilled') throw answer?.reason ?? new TypeError('no answer');
      this.#known.set(symbol, { instrument: answer.value, until: now + FRESH_MS });
    } catch {
      // Not asked again at once: the next orders must not each wait for a source that is silent.
      this.#silentUntil.set(symbol, this.#clock.monotonic() + 10 * PATIENCE_MS);
    }
  }

  async #withPatience<T>(work: (attempt: { readonly signal: AbortSignal; readonly number: number }) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const over = new AbortController();
    const late = this.#clock.sleep(PATIENCE_MS, over.signal).then(() => {
      const error = new TradingError('DEADLINE', 'the instrument was not told in time');
      controller.abort(error);
      throw error;
    });
    try {
      return await Promise.race([work({ signal: controller.signal, number: 1 }), late]);
    } finally {
      over.abort(new Error('over'));
      late.catch(() => {});
    }
  }
}

function breach(symbol: string, name: string, filter: string, value: string): TradingError {
  return new TradingError('INVALID', `${name} of ${symbol} must be ${filter}, got ${value}`);
}
