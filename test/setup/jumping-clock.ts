import { type Clock, systemClock } from '../../src/core/clock.js';

/** The system's clock, which jumps ahead when it is told to: a market goes on for minutes, and a test waits for none of them. */
export class JumpingClock implements Clock {
  #aheadMs = 0;

  now(): number {
    return systemClock.now() + this.#aheadMs;
  }

  monotonic(): number {
    return systemClock.monotonic() + this.#aheadMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal);
  }

  /** Jumps do not bring it nearer. */
  schedule(ms: number, task: () => void, keepsAlive?: boolean): Disposable {
    return systemClock.schedule(ms, task, keepsAlive);
  }

  jump(ms: number): void {
    this.#aheadMs += ms;
  }
}
