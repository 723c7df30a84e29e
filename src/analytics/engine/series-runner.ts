import type { Tinypool } from 'tinypool';
import { abortReason, throwIfAborted } from '../../core/abort.js';
import { asError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { nextMacrotask } from '../../core/macrotask.js';
import { findWorkerFile } from '../../threads/find-worker-file.js';
import { analyzeSeries, type SeriesAnalysis, type SeriesTask } from './analyze-series.js';

/**
 * Analyzes series on a worker thread; here in slices, giving way to the event loop between them,
 * where no worker can be had.
 */
export class SeriesRunner implements AsyncDisposable {
  readonly #pool: Tinypool | undefined;

  private constructor(pool: Tinypool | undefined) {
    this.#pool = pool;
  }

  static async start(workerEntry: string | URL | undefined, logger: Logger | undefined): Promise<SeriesRunner> {
    const filename = findWorkerFile({ name: 'analytics-worker', told: workerEntry, from: import.meta.url });
    if (filename === undefined) return new SeriesRunner(undefined);
    try {
      const { Tinypool } = await import('tinypool');
      return new SeriesRunner(new Tinypool({ filename, minThreads: 0, maxThreads: 1 }));
    } catch (error) {
      logger?.warn({ error: asError(error) }, 'no worker thread: the analysis runs here, in slices');
      return new SeriesRunner(undefined);
    }
  }

  /** @throws the signal's reason when aborted; the worker is then stopped. */
  async run(task: SeriesTask, signal: AbortSignal | undefined): Promise<SeriesAnalysis> {
    throwIfAborted(signal);
    if (this.#pool === undefined) return inSlices(task, signal);
    try {
      return (await this.#pool.run(task, signal === undefined ? {} : { signal })) as SeriesAnalysis;
    } catch (error) {
      throw signal?.aborted ? abortReason(signal) : error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool?.destroy();
  }
}

async function inSlices(task: SeriesTask, signal: AbortSignal | undefined): Promise<SeriesAnalysis> {
  const steps = analyzeSeries(task);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await nextMacrotask();
    throwIfAborted(signal);
  }
}
