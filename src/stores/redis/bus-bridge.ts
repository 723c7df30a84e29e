import type { Bus, VenueKitEvents } from '../../contracts/events.js';
import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import { requireKnown, requireMethods, requireOneOf, requireText } from '../../core/options.js';
import { RedisChannel } from './redis-channel.js';
import type { RedisClient } from './redis-client.js';

const CARRIED = ['halt', 'alert'] as const;

/** Events that mean something to other processes as well, and are plain data. */
export type CarriedEvent = (typeof CARRIED)[number];

/** What {@link redisBusBridge} takes. */
export interface RedisBusBridgeOptions {
  readonly bus: Bus;
  /** @defaultValue both */
  readonly events?: readonly CarriedEvent[];
  /** Whose events they are, told with each. @defaultValue 'main' */
  readonly account?: string;
  /** Hears of what came from elsewhere, after the bus has. */
  readonly onRemote?: <K extends CarriedEvent>(event: K, payload: VenueKitEvents[K], account: string) => void;
  /** @defaultValue 'venuekit' */
  readonly prefix?: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

interface Carried {
  readonly event: CarriedEvent;
  readonly payload: never;
  readonly account: string;
}

/** A bridge between buses; see {@link redisBusBridge}. */
export interface RedisBusBridge extends AsyncDisposable {
  /** Resolves when what others say from now on will be heard here. */
  ready(): Promise<void>;
}

/**
 * Carries halts and alerts between the buses of processes: what one bus emits, all others emit, once
 * each, also when a connection was lost in between. What was said before a process began to listen is
 * not told again: a halt is in the journal of its account.
 *
 * @example
 * await using bridge = redisBusBridge(new Redis(url), { bus: kit.bus });
 */
export function redisBusBridge(client: RedisClient, options: RedisBusBridgeOptions): RedisBusBridge {
  requireKnown('redisBusBridge', options, ['bus', 'events', 'account', 'onRemote', 'prefix', 'clock', 'logger']);
  const { bus, events = CARRIED, account = 'main', onRemote, prefix = 'venuekit', clock, logger } = options;
  requireMethods('bus', bus, ['on', 'emit', 'has']);
  for (const event of events) requireOneOf('events', event, CARRIED);
  requireText('account', account);
  const channel = new RedisChannel(client, { prefix: `${requireText('prefix', prefix)}:bus`, ...(clock && { clock }), ...(logger && { logger }) });
  // What is emitted here for others must not go back to them.
  let isRemote = false;
  const subscriptions = events.map((event) =>
    bus.on(event, (payload) => {
      if (!isRemote) channel.publish('event', { event, payload, account }).catch(() => {});
    }),
  );
  channel.on('event', (body) => {
    const { event, payload, account: whose } = body as Carried;
    if (!events.includes(event)) return;
    isRemote = true;
    try {
      bus.emit(event, payload);
    } finally {
      isRemote = false;
    }
    onRemote?.(event, payload, whose);
  });
  return {
    ready: () => channel.ready(),
    [Symbol.asyncDispose]: async () => {
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
      await channel[Symbol.asyncDispose]();
    },
  };
}
