import type { Clock } from '../core/clock.js';

const WOKEN = new Error('woken');

/** A sleep that anybody can end: what one background loop waits in. */
export class Waker {
  readonly #clock: Clock;
  #end: (() => void) | undefined;
  #isPending = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the sleep; one that is yet to begin does not begin. */
  wake(): void {
    this.#isPending = true;
    this.#end?.();
  }

  /** @param keepAlive - whether somebody waits for what comes after, so that the process must not end meanwhile. */
  async sleep(ms: number, keepAlive: boolean): Promise<void> {
    if (!this.#isPending) {
      if (keepAlive) await this.#sleepAlive(ms);
      else await this.#sleepIdle(ms);
    }
    this.#isPending = false;
    this.#end = undefined;
  }

  async #sleepAlive(ms: number): Promise<void> {
    const controller = new AbortController();
    this.#end = () => controller.abort(WOKEN);
    await this.#clock.sleep(ms, controller.signal).catch(() => {});
  }

  #sleepIdle(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === Infinity ? undefined : this.#clock.schedule(ms, resolve);
      this.#end = () => {
        timer?.[Symbol.dispose]();
        resolve();
      };
    });
  }
}
