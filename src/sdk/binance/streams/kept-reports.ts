import { systemRandom } from '../../../core/random.js';
import { fullJitter } from '../../../resilience/backoff.js';
import type { Json } from '../../shared/json.js';
import type { OrderPath } from '../orders/order-path.js';
import { ExecutionReportKeeper, isReadable } from './execution-report-keeper.js';

const BACKOFF = { baseMs: 100, capMs: 5_000 };
/** How long between two looks whether a stream has told everything, where it can't be seen to break off. */
const LOOK_EVERY_MS = 10_000;
/** Between the listings and the stream one may be first. */
const GRACE_MS = 1_000;
/** Most weight of looks in a second: 3 % of what the venue allows. */
const LOOK_WEIGHT_PER_MS = 3 / 1_000;

/** How long between attempts at a connection. @param failures - so far, from 1 on */
export const streamPause: (failures: number) => number = fullJitter({ ...BACKOFF, random: systemRandom });

/** One connection's worth of events of the account after the other, without holes: what each event of a user data stream goes through. */
export class KeptReports {
  readonly #path: OrderPath;
  readonly #closing: AbortSignal;
  readonly #toSdk: (event: Json) => void;
  readonly #keeper: ExecutionReportKeeper;
  #asked = 0;
  #isRecovering = false;
  #isUp = false;

  /** @param deliver - what the SDK does with an event */
  constructor(path: OrderPath, closing: AbortSignal, deliver: (event: Json) => void) {
    this.#path = path;
    this.#toSdk = deliver;
    this.#closing = closing;
    this.#keeper = new ExecutionReportKeeper({
      read: (endpoint, params) => path.ask(endpoint, params),
      deliver: (event) => this.#deliver(event),
      markets: () => path.markets(),
      onGap: () => this.#recover('gap'),
      sleep: (ms) => path.session.clock.sleep(ms, closing),
    });
  }

  /** An event as it came. */
  take(event: Json): void {
    if (isReadable(event)) {
      this.#keeper.take(event);
      return;
    }
    // It is the SDK's to complain of; what it was is read from the listings.
    this.#deliver(event);
    this.lost();
    this.subscribed();
  }

  /** The connection is gone. */
  lost(): void {
    this.#keeper.lose();
    if (this.#isUp) this.#say('down');
    this.#isUp = false;
  }

  /** The account's events come, for the first time or again. */
  subscribed(): void {
    this.#recover('recovering');
  }

  /** Looks every now and then whether everything was told. @param onSilent - the stream has told nothing of what happened */
  watch(onSilent: () => void): Disposable {
    const { clock } = this.#path.session;
    let timer: Disposable;
    const schedule = (): void => {
      timer = clock.schedule(Math.max(LOOK_EVERY_MS, this.#keeper.lookWeight / LOOK_WEIGHT_PER_MS), () => void look());
    };
    const look = async (): Promise<void> => {
      try {
        if (await this.#keeper.look(GRACE_MS)) onSilent();
      } catch (error) {
        if (this.#closing.aborted) return;
        this.#path.session.logger.warn({ error }, 'whether a stream has told everything could not be seen; it is looked at again');
        this.subscribed();
      }
      if (!this.#closing.aborted) schedule();
    };
    schedule();
    return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
  }

  #recover(why: 'gap' | 'recovering'): void {
    this.#isUp = true;
    if (++this.#asked > 1) this.#say(why);
    if (!this.#isRecovering) void this.#untilWhole();
  }

  async #untilWhole(): Promise<void> {
    const { clock, logger } = this.#path.session;
    this.#isRecovering = true;
    for (let failures = 0, done = 0; done < this.#asked && !this.#closing.aborted; ) {
      const asked = this.#asked;
      try {
        await this.#keeper.recover();
        done = asked;
        failures = 0;
      } catch (error) {
        if (this.#closing.aborted) break;
        logger.warn({ error, failures: ++failures }, 'what a stream of the account has missed could not be read; it is tried again');
        this.#keeper.letPass();
        await clock.sleep(streamPause(failures), this.#closing).catch(() => {});
      }
    }
    this.#isRecovering = false;
    if (this.#isUp) this.#say('live');
  }

  // What the bot's own listener throws is its own affair, as without venuekit: it keeps nobody from hearing the rest.
  #deliver(event: Json): void {
    try {
      this.#toSdk(event);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  #say(state: 'live' | 'gap' | 'recovering' | 'down'): void {
    const { bus } = this.#path.session;
    if (!this.#closing.aborted && bus.has('stream.state')) bus.emit('stream.state', { venue: 'binance', state });
  }
}
