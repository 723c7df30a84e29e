import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Tinypool } from 'tinypool';
import type { Bus } from '../contracts/events.js';
import type { Clock } from '../core/clock.js';
import { asError, VenueKitError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { findWorkerFile } from '../threads/find-worker-file.js';

/** From here on the copying into a worker and back is cheaper than a main thread that stands still. */
const BREAK_EVEN_BYTES = 256 * 1024;

/** A parser's module exports a function of this shape as its default. What it returns is transferred: typed arrays cost nothing, objects cost more than the parsing. */
export type Parser<O = unknown> = (bytes: Uint8Array) => O | Promise<O>;

/** A thread with nothing to do ends after this; the first one stays, since a timer for each task would cost it more than its keep. */
const IDLE_THREAD_MS = 10_000;

const workerFile = (told: string | URL | undefined): string | undefined =>
  findWorkerFile({ name: 'parallel-worker', told, from: import.meta.url, source: './worker.ts' });

interface ParsePool {
  readonly pool: Tinypool;
  readonly filename: string;
}

/** What {@link ParseWorkers} is made of. */
export interface ParseWorkersOptions {
  readonly threads: number | undefined;
  readonly entry: string | URL | undefined;
  readonly logger: Logger | undefined;
  readonly bus: Bus | undefined;
  readonly clock: Clock;
}

/**
 * Parses what was fetched, on tinypool's threads when it is large and here when it is small, or when
 * a bundler has left the worker's own file behind. Nothing is loaded before it is needed.
 */
export class ParseWorkers {
  readonly #threads: number;
  /** As given, and found to exist. */
  readonly #entry: string | undefined;
  readonly #logger: Logger | undefined;
  readonly #bus: Bus | undefined;
  readonly #clock: Clock;
  #pool: Promise<ParsePool | undefined> | undefined;
  readonly #inline: Map<string, Promise<Parser>> = new Map();
  readonly #urls: Map<string, string> = new Map();

  /** @throws VenueKitError `WORKER_NOT_FOUND` when `entry` names a file that does not exist. */
  constructor({ threads, entry, logger, bus, clock }: ParseWorkersOptions) {
    this.#bus = bus;
    this.#clock = clock;
    this.#threads = threads ?? Math.max(1, Math.min(4, availableParallelism() - 1));
    this.#entry = entry === undefined ? undefined : workerFile(entry);
    this.#logger = logger;
  }

  /**
   * @param bytes - what the task gave; its memory is transferred, and no longer readable here, when a worker parses it.
   * @throws VenueKitError `WORKER_NOT_FOUND`; TypeError when `bytes` are none; what the parser threw.
   */
  async parse(
    bytes: unknown,
    { worker, minBytes = BREAK_EVEN_BYTES }: { readonly worker: string | URL; readonly minBytes?: number },
  ): Promise<unknown> {
    const url = this.#urlOf(worker);
    const view = bytesOf(bytes);
    if (view.byteLength >= minBytes && this.#threads > 0) {
      this.#pool ??= this.#start();
      const started = await this.#pool;
      if (started !== undefined) return this.#told('worker', view.byteLength, () => parseIn(started, url, view));
    }
    const parser = await this.#parserHere(url);
    return this.#told('main', view.byteLength, () => parser(view));
  }

  /** Runs `work`, and tells how long it took where somebody listens. */
  async #told(thread: 'main' | 'worker', bytes: number, work: () => unknown): Promise<unknown> {
    if (this.#bus?.has('fetch.parse') !== true) return work();
    const startedAt = this.#clock.monotonic();
    const value = await work();
    this.#bus.emit('fetch.parse', { bytes, ms: this.#clock.monotonic() - startedAt, thread });
    return value;
  }

  async close(): Promise<void> {
    const started = await this.#pool;
    await started?.pool.destroy();
  }

  async #start(): Promise<ParsePool | undefined> {
    try {
      const filename = this.#entry ?? workerFile(undefined);
      if (filename === undefined) throw new VenueKitError('WORKER_NOT_FOUND', "venuekit's worker file is not where it was built; was it bundled?");
      const { Tinypool } = await import('tinypool');
      const pool = new Tinypool({ minThreads: 1, maxThreads: this.#threads, idleTimeout: IDLE_THREAD_MS });
      // An idle thread that dies says so by an event, which would end the process if nobody listened.
      pool.on('error', (error) => this.#logger?.warn({ error: asError(error) }, 'a worker thread ended'));
      // Before the first bytes are given away. The file goes with each task: tinypool never answers tasks whose threads could not load one at their start.
      await pool.run(undefined, { filename }).catch(async (error: unknown) => {
        await pool.destroy();
        throw error;
      });
      return { pool, filename };
    } catch (error) {
      this.#logger?.warn({ error: asError(error) }, 'no worker threads: what is fetched is parsed on the main thread');
      return undefined;
    }
  }

  // Found once: looking for a file costs as much as the transfer.
  #urlOf(worker: string | URL): string {
    const name = String(worker);
    let url = this.#urls.get(name);
    if (url === undefined) {
      url = moduleUrl(worker);
      this.#urls.set(name, url);
    }
    return url;
  }

  #parserHere(url: string): Promise<Parser> {
    let parser = this.#inline.get(url);
    if (parser === undefined) {
      parser = importParser(url);
      this.#inline.set(url, parser);
    }
    return parser;
  }
}

async function importParser(url: string): Promise<Parser> {
  const module = (await import(url)) as { readonly default?: unknown };
  if (typeof module.default !== 'function') throw new TypeError(`${url} must export a function as its default, to parse with`);
  return module.default as Parser;
}

function parseIn({ pool, filename }: ParsePool, url: string, view: Uint8Array): Promise<unknown> {
  // A view into a larger buffer, as small Buffers are, would take its neighbours along.
  const own = view.byteLength === view.buffer.byteLength && view.buffer instanceof ArrayBuffer ? view : view.slice();
  return pool.run({ parser: url, bytes: own }, { filename, transferList: [own.buffer as ArrayBuffer] }) as Promise<unknown>;
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new TypeError(`A task with parse must give bytes (ArrayBuffer, Buffer or a typed array), got ${value === null ? 'null' : typeof value}`);
}

/** @throws VenueKitError `WORKER_NOT_FOUND` naming the file. */
function moduleUrl(worker: string | URL): string {
  const url = typeof worker === 'string' && !/^(?:file|data):/.test(worker) ? pathToFileURL(resolve(worker)) : new URL(worker);
  if (url.protocol === 'file:' && !existsSync(url)) {
    throw new VenueKitError('WORKER_NOT_FOUND', `There is no parser at ${fileURLToPath(url)} (parse.worker)`);
  }
  return url.href;
}
