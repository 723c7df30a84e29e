import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { Random } from '../core/random.js';
import type { Bus } from './events.js';

/** What every module takes, so that it can be shared, replayed and observed. */
export interface Wiring {
  /** Where its events go. @defaultValue a bus of its own, to which nobody listens */
  readonly bus?: Bus;
  /** @defaultValue systemClock */
  readonly clock?: Clock;
  /** @defaultValue the platform's generator */
  readonly random?: Random;
  /** @defaultValue silence */
  readonly logger?: Logger;
}
