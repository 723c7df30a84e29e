import type { Clock } from '../../core/clock.js';
import type { RedisCommands } from './redis-client.js';

const MEASURE_EVERY_MS = 10_000;
/** The quickest of so many answers says most. */
const SAMPLES = 4;

/** What the Redis server's clock says, which all processes share; measured every ten seconds. */
export class ServerClock {
  readonly #commands: RedisCommands;
  readonly #clock: Clock;
  /** The server's time less our monotonic time: no step of our own clock changes it. */
  #offsetMs = 0;
  #uncertaintyMs = 0;
  #measuredAt: number = -Infinity;
  #measuring: Promise<void> | undefined;

  constructor(commands: RedisCommands, clock: Clock) {
    this.#commands = commands;
    this.#clock = clock;
  }

  /** Resolves when it is known. @throws what Redis throws where it never was */
  async ready(): Promise<void> {
    if (this.#clock.monotonic() - this.#measuredAt < MEASURE_EVERY_MS) return;
    this.#measuring ??= this.#measure().finally(() => {
      this.#measuring = undefined;
    });
    // Once measured, an older measure does while a new one is made.
    if (this.#measuredAt === -Infinity) await this.#measuring;
    else this.#measuring.catch(() => {});
  }

  /** Epoch ms of the server at a moment of our monotonic time. */
  at(monotonic: number): number {
    return monotonic + this.#offsetMs;
  }

  /** The server's time may be off by so much either way. */
  get uncertaintyMs(): number {
    return this.#uncertaintyMs;
  }

  /** How far our wall clock is ahead of the server's. */
  aheadMs(): number {
    return this.#clock.now() - this.at(this.#clock.monotonic());
  }

  async #measure(): Promise<void> {
    let best = Infinity;
    for (let i = 0; i < SAMPLES; i++) {
      const before = this.#clock.monotonic();
      const [seconds, micros] = (await this.#commands.send(['TIME'])) as readonly [string, string];
      const tookMs = this.#clock.monotonic() - before;
      if (tookMs >= best) continue;
      best = tookMs;
      this.#offsetMs = Number(seconds) * 1000 + Number(micros) / 1000 - (before + tookMs / 2);
      this.#uncertaintyMs = tookMs / 2;
    }
    this.#measuredAt = this.#clock.monotonic();
  }
}
