import { asError } from '../../../core/errors.js';
import type { Json } from '../../shared/json.js';
import { KeptRows } from '../../shared/streams/kept-rows.js';
import type { StreamRecovery } from '../../shared/streams/stream-recovery.js';
import type { MarketSource } from '../market-source.js';
import { BAR_ORDER, listOfRows, type StreamedMarket, startOf, TRADE_ORDER, timeIn } from './stream-history.js';

/** One stream of market data, as one version of the SDK holds it. */
export interface MarketStreamParts {
  readonly recovery: StreamRecovery;
  readonly market: StreamedMarket;
  readonly source: MarketSource;
  /** What the SDK does with frames that have come. */
  readonly handle: (frames: readonly Json[]) => void;
  /** The same with one that was read, told as recovered. */
  readonly handleRecovered: (frame: Json) => void;
}

/** Rows that are read again. Books are sent whole to who subscribes; of everything else the next message is the newest truth. */
const ROWS = { t: 'trades', b: 'bars' } as const;
const ORDERS = { trades: TRADE_ORDER, bars: BAR_ORDER } as const;
type RowKind = keyof typeof ORDERS;
/** How late a trade may show in the lists. */
const LAG_MS = 2_000;
const EVERY_SYMBOL = '*';

/**
 * One connection's worth of market data after the other: trades and minute bars without holes, each once, and the latest quote
 * after an interruption. What a message of the stream goes through on its way to the SDK.
 */
export class KeptMarketData {
  readonly #parts: MarketStreamParts;
  readonly #rows = new Map<string, KeptRows<Json>>();
  /** When each symbol's quote was, ms. */
  readonly #quotes = new Map<string, number>();
  readonly #staleQuotes = new Set<string>();
  #isSubscribed = false;
  #isInterrupted = false;
  #recovering = 0;

  constructor(parts: MarketStreamParts) {
    this.#parts = parts;
  }

  /** A message as it came. */
  take(message: unknown): void {
    const { handle, recovery } = this.#parts;
    if (!Array.isArray(message) || recovery.closing.aborted) {
      handle(message as readonly Json[]);
      return;
    }
    for (const frame of message as readonly Json[]) {
      const rows = this.#keptRows(frame);
      if (rows !== undefined) rows.take(frame);
      else {
        if (frame?.T === 'q') this.#noteQuote(frame);
        handle([frame]);
        if (frame?.T === 'subscription') this.#subscribed(frame);
      }
    }
  }

  /** Whether the stream has come back, rather than come: then it is live once it has told what it missed. */
  get isReturning(): boolean {
    return this.#isInterrupted;
  }

  /** The connection is gone. */
  down(): void {
    this.#isInterrupted = this.#isSubscribed;
    for (const rows of this.#rows.values()) rows.interrupt();
    for (const symbol of this.#quotes.keys()) this.#staleQuotes.add(symbol);
  }

  /** The bot has ended the stream: what comes until it begins again is not missed. */
  ended(): void {
    for (const rows of this.#rows.values()) rows.interrupt();
    this.#rows.clear();
    this.#quotes.clear();
    this.#staleQuotes.clear();
    this.#isSubscribed = false;
    this.#isInterrupted = false;
  }

  #keptRows({ T, S }: Json): KeptRows<Json> | undefined {
    const kind = ROWS[T as keyof typeof ROWS];
    return kind === undefined ? undefined : this.#rows.get(`${kind} ${String(S)}`);
  }

  #noteQuote({ S, t }: Json): void {
    this.#quotes.set(S as string, timeIn(t));
    this.#staleQuotes.delete(S as string);
  }

  // The venue says what is subscribed to, whole.
  #subscribed(frame: Json): void {
    const wasInterrupted = this.#isInterrupted;
    this.#isInterrupted = false;
    this.#isSubscribed = true;
    const recoveries: Promise<unknown>[] = [];
    for (const kind of ['trades', 'bars'] as const) {
      const listed = new Set(symbolsIn(frame[kind]));
      if (listed.has(EVERY_SYMBOL) && wasInterrupted) this.#parts.recovery.done({ channel: kind, symbol: EVERY_SYMBOL, rows: 0, isWhole: false });
      listed.delete(EVERY_SYMBOL);
      for (const symbol of listed) {
        const name = `${kind} ${symbol}`;
        const rows = this.#rows.get(name);
        if (rows === undefined) this.#rows.set(name, this.#newRows(kind, symbol));
        else if (rows.isInterrupted) recoveries.push(rows.resume());
      }
      for (const [name, rows] of this.#rows)
        if (name.startsWith(kind) && !rows.isInterrupted && !listed.has(name.slice(kind.length + 1))) this.#rows.delete(name);
    }
    const quotes = symbolsIn(frame.quotes).filter((symbol) => symbol !== EVERY_SYMBOL);
    for (const symbol of quotes) if (!this.#quotes.has(symbol)) this.#quotes.set(symbol, -Infinity);
    const stale = quotes.filter((symbol) => this.#staleQuotes.has(symbol));
    if (stale.length > 0) recoveries.push(this.#readQuotes(stale));
    if (recoveries.length > 0) void this.#until(recoveries);
    else if (wasInterrupted) this.#parts.recovery.say('live');
  }

  async #until(recoveries: readonly Promise<unknown>[]): Promise<void> {
    const { recovery } = this.#parts;
    if (this.#recovering++ === 0) recovery.say('recovering');
    await Promise.all(recoveries);
    if (--this.#recovering === 0 && !this.#isInterrupted && !recovery.closing.aborted) recovery.say('live');
  }

  #newRows(kind: RowKind, symbol: string): KeptRows<Json> {
    const { recovery, market, source, handle, handleRecovered } = this.#parts;
    const { clock, closing } = recovery;
    const T = kind === 'trades' ? 't' : 'b';
    return new KeptRows(
      {
        order: ORDERS[kind],
        list: listOfRows(source, market, kind, symbol, { signal: closing, number: 1 }, () => clock.now()),
        recovery,
        channel: kind,
        symbol,
        lagMs: LAG_MS,
        tell: (row, isRecovered) => (isRecovered ? handleRecovered({ T, S: symbol, ...row }) : handle([row])),
      },
      startOf(kind, market, clock.now()),
    );
  }

  // One that the stream tells while it is read is newer.
  async #readQuotes(symbols: readonly string[]): Promise<void> {
    const { recovery, market, source, handleRecovered } = this.#parts;
    let quotes: ReadonlyMap<string, Json> = new Map();
    try {
      quotes = await source.latestQuotes(symbols, market.isCrypto, { signal: recovery.closing, number: 1 });
    } catch (error) {
      if (!recovery.closing.aborted) recovery.failed('quotes', symbols.join(','), asError(error));
    }
    for (const symbol of symbols) {
      const isStale = this.#staleQuotes.delete(symbol);
      const quote = quotes.get(symbol);
      const isNews = isStale && quote !== undefined && timeIn(quote.t) > (this.#quotes.get(symbol) ?? -Infinity);
      if (isNews) handleRecovered({ T: 'q', S: symbol, ...quote });
      recovery.done({ channel: 'quotes', symbol, rows: isNews ? 1 : 0, isWhole: !isStale || quote !== undefined });
    }
  }
}

function symbolsIn(listed: unknown): readonly string[] {
  return Array.isArray(listed) ? listed.map(String) : [];
}
