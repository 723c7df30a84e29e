import type { Settled } from '../../../../src/contracts/calls.js';
import type { Bars, MarketDataAdapter, MarketKind, Quote, StreamUpdate } from '../../../../src/contracts/market-data.js';
import { unknownSymbolError } from '../../../../src/contracts/unknown-symbol.js';
import { onAbort } from '../../../../src/core/abort.js';
import type { Clock } from '../../../../src/core/clock.js';

export interface SeenCall {
  readonly kind: MarketKind;
  readonly symbols: readonly string[];
  readonly sentAt: number;
  readonly signal: AbortSignal;
  readonly number: number;
}

/** A venue that answers after a latency with whatever the test has set up, and remembers what it was asked. */
export class ScriptedAdapter implements MarketDataAdapter {
  readonly venue = 'testex';
  readonly calls: SeenCall[] = [];
  readonly unlisted = new Set<string>();
  readonly failing = new Map<string, Error>();
  latencyMs: number;
  limit: number;
  /** Set: every call fails with it. */
  outage: Error | undefined;
  /** Makes the answer of a symbol; by default a quote that counts up with every call. */
  answer: (kind: MarketKind, request: { readonly symbol: string }, call: number) => unknown = (_, { symbol }, call) => givenQuote(symbol, call);
  /** Changes what goes back as a whole. */
  mangle: (answers: readonly Settled<unknown>[]) => unknown = (answers) => answers;
  stream?: (kind: MarketKind, symbols: readonly string[], signal: AbortSignal) => AsyncIterable<StreamUpdate>;
  readonly #clock: Clock;

  constructor(clock: Clock, options: { readonly latencyMs?: number; readonly limit?: number } = {}) {
    this.#clock = clock;
    this.latencyMs = options.latencyMs ?? 50;
    this.limit = options.limit ?? 100;
  }

  batchLimit(): number {
    return this.limit;
  }

  async fetch(
    kind: MarketKind,
    requests: readonly { readonly symbol: string }[],
    attempt: { readonly signal: AbortSignal; readonly number: number },
  ) {
    const number = this.calls.push({
      kind,
      symbols: requests.map((request) => request.symbol),
      sentAt: this.#clock.monotonic(),
      signal: attempt.signal,
      number: attempt.number,
    });
    const answers = requests.map((request): Settled<unknown> => {
      if (this.unlisted.has(request.symbol)) return { status: 'rejected', reason: unknownSymbolError(this.venue, request.symbol) };
      const failure = this.failing.get(request.symbol);
      if (failure !== undefined) return { status: 'rejected', reason: failure };
      return { status: 'fulfilled', value: this.answer(kind, request, number) };
    });
    const { outage } = this;
    await this.#travel(attempt.signal);
    if (outage !== undefined) throw outage;
    return this.mangle(answers) as never;
  }

  #travel(signal: AbortSignal): Promise<void> {
    const { latencyMs } = this;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.schedule(latencyMs, resolve);
      onAbort(signal, (reason) => {
        timer[Symbol.dispose]();
        reject(reason);
      });
    });
  }
}

export function givenQuote(symbol: string, bid = 100, marks: Partial<Quote> = {}): Quote {
  return { symbol, bid, ask: bid + 1, ...marks };
}

/** Minute bars that end with the one that starts at `lastStart`. */
export function givenBars(
  symbol: string,
  options: { readonly lastStart?: number; readonly count?: number; readonly lastBar?: Bars['lastBar'] } = {},
): Bars {
  const { lastStart = 1_704_067_140_000, count = 2, lastBar = 'final' } = options;
  const column = (fill: (i: number) => number) => Float64Array.from({ length: count }, (_, i) => fill(i));
  const price = () => column((i) => 100 + i);
  return {
    symbol,
    interval: '1m',
    t: column((i) => lastStart - (count - 1 - i) * 60_000),
    open: price(),
    high: price(),
    low: price(),
    close: price(),
    volume: price(),
    lastBar,
  };
}
