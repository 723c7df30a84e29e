import type { VenueKitEvents } from '../../../contracts/events.js';
import type { Clock } from '../../../core/clock.js';
import type { RecoveryBounds } from '../resilient-options.js';
import type { SdkSession } from '../sdk-session.js';

/** What recoveries of an SDK object's market streams share, and where they say what came of them. */
export class StreamRecovery {
  readonly clock: Clock;
  readonly bounds: RecoveryBounds;
  readonly closing: AbortSignal;
  readonly #session: Pick<SdkSession, 'bus' | 'logger'>;
  readonly #venue: string;

  constructor(venue: string, session: Pick<SdkSession, 'bus' | 'logger' | 'clock'>, bounds: RecoveryBounds, closing: AbortSignal) {
    this.#venue = venue;
    this.#session = session;
    this.clock = session.clock;
    this.bounds = bounds;
    this.closing = closing;
  }

  say(state: VenueKitEvents['stream.state']['state']): void {
    const { bus } = this.#session;
    if (bus.has('stream.state')) bus.emit('stream.state', { venue: this.#venue, state });
  }

  done(recovered: Omit<VenueKitEvents['stream.recovered'], 'venue'>): void {
    const { bus, logger } = this.#session;
    const venue = this.#venue;
    if (bus.has('stream.recovered')) bus.emit('stream.recovered', { venue, ...recovered });
    if (recovered.isWhole) return;
    logger.warn(
      { venue, ...recovered, ...this.bounds },
      'a part of what a stream has missed is left out: it could not be read, or lies beyond the bounds of `recovery`; read what you need of it over REST',
    );
  }

  failed(channel: string, symbol: string, error: Error): void {
    this.#session.logger.warn({ venue: this.#venue, channel, symbol, error }, 'what a stream has missed could not be read');
  }
}
