import type { Bus, VenueKitEvents } from '../../contracts/events.js';
import type { KitTuning } from '../../contracts/kit-tuning.js';
import type { MarketKind } from '../../contracts/market-data.js';
import type { Wiring } from '../../contracts/wiring.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { asError } from '../../core/errors.js';
import type { Cost, Limit } from '../../core/limits.js';
import { type Logger, redactingLogger } from '../../core/logger.js';
import { requireInteger, requireKnown, requireMethods, requireObject, requireText } from '../../core/options.js';
import { systemRandom } from '../../core/random.js';
import { fingerprint } from './fingerprint.js';
import { decodeTrace } from './read-trace.js';
import type { Trace, TraceHeader } from './trace.js';
import { TraceBlock } from './trace-block.js';
import { TraceFile, TraceMemory, type TraceSink } from './trace-file.js';
import { CALL_OUTCOMES, KINDS, ORIGINS, READ_OUTCOMES, RECORD, TRACE_SCHEMA } from './trace-format.js';

/** {@link TraceRecorder} */
export interface TraceRecorderOptions extends Wiring {
  readonly bus: Bus;
  /** The file; a second one, `path.1`, holds the part before. @defaultValue in memory, to be had by {@link TraceRecorder.trace} */
  readonly path?: string;
  /** Most bytes kept, of both files together; an event takes 28. The newest are kept. @defaultValue 33_554_432 */
  readonly maxBytes?: number;
  /** What is in force, so that a plan can say from what to change it. */
  readonly tuning?: KitTuning;
  /** The venue's limits, and what operations cost of them: a replay of limits needs both. */
  readonly limits?: readonly Limit[];
  readonly costs?: Readonly<Record<string, readonly Cost[]>>;
  /** How many symbols the adapter asks for in one call. */
  readonly batchLimits?: Readonly<Partial<Record<MarketKind, number>>>;
}

const OPTIONS = ['bus', 'clock', 'random', 'logger', 'path', 'maxBytes', 'tuning', 'limits', 'costs', 'batchLimits'];
const LEAST_BYTES = 262_144;
const MOST_WAITING = 4_194_304;
const FLUSH_MS = 1_000;
// Keys beyond these share one number: what a replay makes of them is then less exact.
const MOST_KEYS = 1_000_000;
const MOST_FINGERPRINTS = 100_000;

/**
 * Records what the parts of a kit say on the bus, so that a {@link PerformanceAnalyzer} can run it again with other options: when
 * which operation was called, which key was read, how long it took, how it ended. Neither names of keys and consumers nor values,
 * orders, ids or headers are recorded. It costs nothing while there is none: what it alone listens to is not even made.
 *
 * @example
 * await using recorder = new TraceRecorder({ bus: kit.bus, path: './data/trace.bin' });
 */
export class TraceRecorder implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #sink: TraceSink;
  readonly #memory: TraceMemory | undefined;
  readonly #header: TraceHeader;
  readonly #since: number;
  readonly #block = new TraceBlock();
  readonly #keys = new Map<string, number>();
  readonly #consumers = new Map<string, number>();
  readonly #fingerprints = new Map<string, number>();
  readonly #subscriptions: Disposable[] = [];
  #dropped = 0;
  #timer: Disposable | undefined;
  #closing: Promise<void> | undefined;

  /** @throws RangeError or TypeError naming the option, what it must be, and what it was. */
  constructor(options: TraceRecorderOptions) {
    requireKnown('TraceRecorder', requireObject('options', options), OPTIONS);
    const { bus, clock = systemClock, random = systemRandom, path, maxBytes = 33_554_432, tuning, limits, costs, batchLimits } = options;
    requireMethods('bus', bus, ['on']);
    requireInteger('maxBytes', maxBytes, LEAST_BYTES);
    this.#clock = clock;
    this.#logger = redactingLogger(options.logger);
    this.#memory = path === undefined ? new TraceMemory(maxBytes) : undefined;
    this.#sink = this.#memory ?? new TraceFile(requireText('path', path!), maxBytes);
    this.#since = clock.monotonic();
    this.#header = {
      schema: TRACE_SCHEMA,
      run: Math.floor(random() * 2 ** 32),
      startedAt: clock.now(),
      ...(tuning === undefined ? {} : { tuning }),
      ...(limits === undefined ? {} : { limits }),
      ...(costs === undefined ? {} : { costs }),
      ...(batchLimits === undefined ? {} : { batchLimits }),
    };
    this.#begin();
    this.#listen(bus);
  }

  /** What has been recorded so far. @throws TypeError when it goes to a file: read that by `readTrace` */
  trace(): Trace {
    if (this.#memory === undefined) throw new TypeError('trace() gives what is kept in memory; this recorder writes a file, which readTrace reads');
    this.#write();
    return decodeTrace(this.#memory.files());
  }

  /** Resolves when everything so far is in the file. @throws what the file system says */
  async flush(): Promise<void> {
    this.#write();
    await this.#sink.flush();
  }

  /** Stops, and writes what is left. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      for (const subscription of this.#subscriptions.splice(0)) subscription[Symbol.dispose]();
      this.#timer?.[Symbol.dispose]();
      this.#write();
      await this.#sink.flush().catch((error: unknown) => this.#logger.warn({ error: asError(error) }, 'the trace could not be written'));
      await this.#sink.close();
    })();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #listen(bus: Bus): void {
    const on = <K extends keyof VenueKitEvents>(event: K, record: (payload: VenueKitEvents[K]) => void): void => {
      this.#subscriptions.push(bus.on(event, record));
    };
    on('venue.call', ({ operation, attempt, ms, outcome, hedge }) =>
      this.#add(RECORD.call, CALL_OUTCOMES.indexOf(outcome) | (hedge ? 128 : 0), operation, attempt, ms),
    );
    on('cache.read', ({ kind, key, outcome, ageMs, waitedMs = 0, maxAgeMs = Infinity, consumer }) => {
      const flags = READ_OUTCOMES.indexOf(outcome) | (KINDS.indexOf(kind) << 3);
      this.#record(RECORD.read, flags, this.#consumerOf(consumer), this.#keyOf(key), ageMs, maxAgeMs, waitedMs);
    });
    on('cache.load', ({ kind, keys, ms, ok }) => this.#add(RECORD.load, KINDS.indexOf(kind) | (ok ? 128 : 0), undefined, keys, ms));
    on('cache.kept', ({ kind, key, origin, value }) => {
      const flags = KINDS.indexOf(kind) | (this.#changed(kind, key, value) << 3) | (ORIGINS.indexOf(origin) << 5);
      this.#record(RECORD.value, flags, 0, this.#keyOf(key), 0, 0);
    });
    on('cache.prefetch', ({ key, useful }) => this.#record(RECORD.prefetch, useful ? 1 : 0, 0, this.#keyOf(key), 0, 0));
    on('pool.acquired', ({ pool, waitedMs, reused }) => this.#add(RECORD.loan, reused ? 1 : 0, pool, 0, waitedMs));
    on('pool.released', ({ pool, heldMs }) => this.#add(RECORD.return, 0, pool, 0, heldMs));
    on('pool.created', ({ pool, ms = Number.NaN }) => this.#add(RECORD.opened, 0, pool, 0, ms));
    on('pool.destroyed', ({ pool, why }) => this.#add(RECORD.closed, 0, pool, this.#block.numberOf(why), 0));
    on('fetch.task', ({ group, waitMs, runMs, ok }) => this.#add(RECORD.task, ok ? 1 : 0, group, 0, waitMs, runMs));
    on('fetch.parse', ({ bytes, ms, thread }) => this.#add(RECORD.parse, thread === 'worker' ? 1 : 0, undefined, Math.min(bytes, 0xffffffff), ms));
    on('limit.observed', ({ limit, used = Number.NaN, remaining = Number.NaN, blockedUntil }) =>
      this.#add(RECORD.limit, blockedUntil === undefined ? 0 : 1, limit, this.#msUntil(blockedUntil), used, remaining),
    );
    on('journal.append', ({ records, ms }) => this.#add(RECORD.append, 0, undefined, records, ms));
  }

  #add(type: number, flags: number, name: string | undefined, whole: number, a: number, b = 0): void {
    this.#record(type, flags, name === undefined ? 0 : this.#block.numberOf(name), whole, a, b);
  }

  #record(type: number, flags: number, name: number, whole: number, a: number, b: number, c = 0): void {
    // A disk that is slower than the bot must not fill the memory.
    if (this.#sink.waiting > MOST_WAITING) {
      this.#dropped++;
      return;
    }
    const atMs = this.#clock.monotonic() - this.#since;
    if (this.#dropped > 0) {
      this.#block.add(RECORD.dropped, 0, 0, this.#dropped, atMs, 0, 0, 0);
      this.#dropped = 0;
      if (this.#block.isFull) this.#write();
    }
    this.#block.add(type, flags, name, whole, atMs, a, b, c);
    if (this.#block.isFull) this.#write();
    else this.#timer ??= this.#clock.schedule(FLUSH_MS, () => this.#write());
  }

  #write(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (this.#block.isEmpty) return;
    if (this.#sink.wantsRestart) this.#begin();
    this.#sink.write(this.#block.take());
  }

  #begin(): void {
    this.#sink.begin(new TextEncoder().encode(`${JSON.stringify(this.#header)}\n`));
    this.#block.restart();
  }

  #msUntil(at: number | undefined): number {
    return at === undefined ? 0 : Math.round(Math.min(0xffffffff, Math.max(0, at - this.#clock.now())));
  }

  #keyOf(key: string): number {
    return numberIn(this.#keys, key, MOST_KEYS);
  }

  #consumerOf(consumer: string | undefined): number {
    return consumer === undefined ? 0 : numberIn(this.#consumers, consumer, 0xfffe);
  }

  /** 0: nothing to compare with; 1: the same; 2: changed. */
  #changed(kind: VenueKitEvents['cache.kept']['kind'], key: string, value: unknown): 0 | 1 | 2 {
    const print = fingerprint(kind, value);
    const before = this.#fingerprints.get(key);
    if (before === undefined && this.#fingerprints.size >= MOST_FINGERPRINTS) return 0;
    this.#fingerprints.set(key, print);
    if (before === undefined) return 0;
    return before === print ? 1 : 2;
  }
}

function numberIn(numbers: Map<string, number>, name: string, most: number): number {
  const known = numbers.get(name);
  if (known !== undefined) return known;
  if (numbers.size >= most) return most + 1;
  numbers.set(name, numbers.size + 1);
  return numbers.size;
}
