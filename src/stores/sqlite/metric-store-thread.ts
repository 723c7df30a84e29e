import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { closedError, VenueKitError } from '../../core/errors.js';
import { receiveError, type StoreAnswer, type StoreRequest } from './metric-store-channel.js';
import { ExitGate } from './metric-store-exit-gate.js';

const FILE = 'metric-store-worker';

/**
 * Where the worker's file is: as told, beside this module, or in the installed package, which a
 * bundle of the host may have left behind; undefined where there is none and the host's own thread
 * must do.
 */
export function findWorker(told: string | URL | false | undefined): URL | undefined {
  if (told === false) return undefined;
  if (told !== undefined) return typeof told === 'string' ? pathToFileURL(told) : told;
  try {
    const beside = new URL(`./${FILE}.js`, import.meta.url);
    if (existsSync(fileURLToPath(beside))) return beside;
    return pathToFileURL(createRequire(import.meta.url).resolve(`venuekit/${FILE}`));
  } catch {
    return undefined;
  }
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** A metric store's thread, seen from the host's: calls in, answers out. Keeps the process alive only while a call is open. */
export class StoreThread {
  readonly #worker: Worker;
  readonly #gate = new ExitGate();
  readonly #waiting = new Map<number, Waiting>();
  readonly #onExit = (): void => this.#gate.shut();
  #calls = 0;
  #ended: Error | undefined;

  constructor(file: URL) {
    this.#worker = new Worker(file, { workerData: { gate: this.#gate.memory }, name: FILE });
    this.#worker.on('message', (message: StoreAnswer) => this.#settle(message));
    this.#worker.on('error', (error) =>
      this.#end(new VenueKitError('STORAGE', `The metric store's thread failed: ${error.message}`, { cause: error })),
    );
    this.#worker.on('exit', () => this.#end(closedError('SqliteMetricStore')));
    this.#worker.unref();
    process.on('exit', this.#onExit);
  }

  call<T>(method: StoreRequest['method'], argument?: unknown, transfer: readonly ArrayBuffer[] = []): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#calls++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      if (this.#waiting.size === 1) this.#worker.ref();
      this.#worker.postMessage({ id, method, argument } satisfies StoreRequest, transfer);
    });
  }

  #settle(message: StoreAnswer): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ('error' in message) waiting?.reject(receiveError(message.error));
    else waiting?.resolve(message.value as never);
  }

  #end(reason: Error): void {
    this.#ended ??= reason;
    process.off('exit', this.#onExit);
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}
