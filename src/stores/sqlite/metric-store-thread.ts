import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { closedError, VenueKitError } from '../../core/errors.js';
import { findWorkerFile } from '../../threads/find-worker-file.js';
import { receiveError, type StoreAnswer, type StoreRequest } from './metric-store-channel.js';
import { ExitGate } from './metric-store-exit-gate.js';

const FILE = 'metric-store-worker';

/** Where the worker's file is; undefined where there is none and the host's own thread must do. */
export function findWorker(told: string | URL | false | undefined): URL | undefined {
  if (told === false) return undefined;
  const file = findWorkerFile({ name: FILE, told, from: import.meta.url });
  return file === undefined ? undefined : pathToFileURL(file);
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
    this.#worker.on('message', (answers: readonly StoreAnswer[]) => {
      for (const answer of answers) this.#settle(answer);
    });
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
