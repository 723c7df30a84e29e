import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import ccxt, { type binance } from 'ccxt';
import type { VenueOrder } from '../../src/contracts/broker.js';
import { connectCcxt } from '../../src/testing/binance/connect-ccxt.js';
import type { Credentials } from '../../src/testing/index.js';
import type { VenueRequest, VenueSettings, VenueUsage } from './venue-process.js';

/** A venue that is served on loopback by another process. */
export class RemoteVenue implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly url: string;
  readonly credentials: Credentials;

  private constructor(child: ChildProcess, { url, credentials }: { readonly url: string; readonly credentials: Credentials }) {
    this.#process = child;
    this.url = url;
    this.credentials = credentials;
  }

  static async start(settings: VenueSettings = {}): Promise<RemoteVenue> {
    const script = fileURLToPath(new URL('./venue-process.ts', import.meta.url));
    const child = fork(script, [JSON.stringify(settings)], { execArgv: ['--import', 'tsx'] });
    return new RemoteVenue(child, await answerOf(child));
  }

  /** The real SDK, pointed here. ccxt's own limiter would hold a request for 50 ms and more: most runs are without. */
  connect(options: { readonly timeout?: number; readonly enableRateLimit?: boolean } = {}): binance {
    return connectCcxt(new ccxt.binance({ enableRateLimit: false, ...options }), this.url, this.credentials);
  }

  async fault(share: number): Promise<void> {
    await this.#ask({ ask: 'fault', share });
  }

  /** All that it has, the judge of what was placed. */
  orders(): Promise<readonly VenueOrder[]> {
    return this.#ask({ ask: 'orders' });
  }

  usage(): Promise<VenueUsage> {
    return this.#ask({ ask: 'usage' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.disconnect();
    await ended;
  }

  #ask<T>(request: VenueRequest): Promise<T> {
    const answered = answerOf<T>(this.#process);
    this.#process.send(request);
    return answered;
  }
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const listening = new AbortController();
  const died = once(child, 'exit', { signal: listening.signal }).then(([code]) => {
    throw new Error(`The venue's process ended with code ${String(code)} before it answered.`);
  });
  died.catch(() => {});
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal: listening.signal }), died])) as [{ readonly answer: T }];
    return message.answer;
  } finally {
    listening.abort();
  }
}
