import type { Attempt, BrokerAdapter, Verdict } from '../../contracts/broker.js';
import type { MarketDataAdapter, Quote } from '../../contracts/market-data.js';
import { asError, VenueKitError } from '../../core/errors.js';
import type { ManualClock } from '../../core/manual-clock.js';
import type { VenueKit } from '../../kit/venue-kit.js';
import type { Desk } from './workload.js';

const READ_DEADLINE_MS = 30_000;
const ORDER_DEADLINE_MS = 60_000;

/** The bot through a kit. */
export function kitDesk({ trading, marketData }: VenueKit): Desk {
  return {
    ...(marketData === undefined
      ? {}
      : {
          quote: async (symbol, maxAgeMs, consumer) => {
            const { value } = await marketData.get('quote', { symbol }, { maxAgeMs, consumer, deadlineMs: READ_DEADLINE_MS });
            return { value, mid: midOf(value) };
          },
        }),
    ...(trading === undefined
      ? {}
      : {
          submit: async (intent) => {
            const view = await trading.submit(intent, { deadlineMs: ORDER_DEADLINE_MS });
            return ['rejected', 'abandoned', 'escalated'].includes(view.state) ? 'refused' : 'taken';
          },
          cancel: async ({ intentId }) => {
            await trading.cancel(intentId, { deadlineMs: ORDER_DEADLINE_MS });
          },
        }),
  };
}

const TRIES = 4;
const BACKOFF_MS = 100;
/** As bots set it that want to know soon. */
export const SDK_TIMEOUT_MS = 2_000;

/**
 * The bot with the loop that bots write around a raw SDK: on a failure wait a little and call again,
 * four times in all, each order under a new id.
 */
export function bareDesk(venue: BrokerAdapter & MarketDataAdapter, clock: ManualClock): Desk {
  const placed = new Map<string, string>();
  const retried = async <T>(call: (number: number, signal: AbortSignal) => Promise<T | undefined>): Promise<T> => {
    let last: Error | undefined;
    for (let number = 1; number <= TRIES; number++) {
      const over = new AbortController();
      const timer = clock.schedule(SDK_TIMEOUT_MS, () => over.abort(new VenueKitError('TIMEOUT', 'no answer in time')));
      try {
        const result = await call(number, over.signal);
        if (result !== undefined) return result;
      } catch (error) {
        last = asError(error);
      } finally {
        timer[Symbol.dispose]();
      }
      await clock.sleep(BACKOFF_MS * 2 ** number);
    }
    throw last ?? new VenueKitError('FAILED', `failed ${TRIES} times`);
  };
  const attempt = (number: number, signal: AbortSignal): Attempt => {
    const { fence } = venue.capabilities;
    return { number, signal, venueNow: clock.now(), ...(fence === undefined ? {} : { fenceMs: fence.defaultMs }) };
  };
  return {
    quote: async (symbol) => {
      const value = await retried(async (number, signal) => {
        const [answer] = await venue.fetch('quote', [{ symbol }], { number, signal });
        if (answer?.status !== 'fulfilled') throw answer?.reason ?? new VenueKitError('FAILED', 'no answer');
        return answer.value;
      });
      return { value, mid: midOf(value) };
    },
    submit: (intent) =>
      retried(async (number, signal) => {
        const clientOrderId = `${intent.intentId}.${number}`;
        const verdict: Verdict = await venue.place(intent, clientOrderId, attempt(number, signal));
        placed.set(intent.intentId, clientOrderId);
        if (verdict.kind === 'accepted' || verdict.kind === 'duplicate') return 'taken' as const;
        return verdict.kind === 'rejected' ? ('refused' as const) : undefined;
      }),
    cancel: async ({ intentId, symbol }) => {
      const clientOrderId = placed.get(intentId) ?? intentId;
      await retried(async (number, signal) => {
        const verdict = await venue.cancel({ symbol, clientOrderId }, attempt(number, signal));
        return verdict.kind === 'accepted' || verdict.kind === 'rejected' ? verdict : undefined;
      });
    },
  };
}

const midOf = ({ bid, ask }: Quote): number => (bid + ask) / 2;
