import { isVenueKitError } from '../../core/errors.js';
import type { Check } from '../check.js';
import { Trial } from '../trials/trial.js';

const CLOSE_WITHIN_MS = 30_000;
const LAST_TIMERS_MS = 60_000;

/** A kit that is closed leaves nothing behind: no timer, no lease, no order taken. */
export const closing: Check = {
  id: 'component.closing',
  category: 'component',
  critical: false,
  async run({ ground }) {
    const trial = await Trial.start(ground);
    const { kit, clock } = trial;
    const wrong: string[] = [];
    if (kit.marketData !== undefined) await trial.settle(kit.marketData.get('quote', { symbol: 'BTC/USDT' }, { consumer: 'closing', maxAgeMs: 500 }));
    const order = kit.trading?.submit({ intentId: 'before closing', symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '0.0100' });
    if (order !== undefined) await trial.settle(order);
    await trial.advance(3_000);
    const began = clock.monotonic();
    await trial.settle(kit.close(), CLOSE_WITHIN_MS).catch((error: unknown) => wrong.push(`closing failed: ${String((error as Error).message)}`));
    const tookMs = clock.monotonic() - began;
    await trial.settle(kit.close(), CLOSE_WITHIN_MS).catch(() => wrong.push('closing it twice failed'));
    // A time limit of what was under way runs out and finds nothing; what repeats itself does not end.
    await trial.advance(LAST_TIMERS_MS);
    if (clock.pending > 0) wrong.push(`${clock.pending} timers still run after ${LAST_TIMERS_MS / 1000} s`);
    const submitting = kit.trading?.submit({ intentId: 'too late', symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '0.0100' }).then(
      () => 'an order was taken afterwards',
      (error: unknown) => (isVenueKitError(error, 'CLOSED') ? undefined : 'an order afterwards failed for another reason'),
    );
    // A kit that is not closed after all takes it, and needs time for it.
    const late = submitting === undefined ? undefined : await trial.settle(submitting);
    if (late !== undefined) wrong.push(late);
    const next = await Trial.start(ground, { after: trial }).catch((error: unknown) => (error as Error).message);
    if (typeof next === 'string') wrong.push(`the next kit could not start: ${next}`);
    else await next[Symbol.asyncDispose]();
    return {
      passed: wrong.length === 0,
      measured: wrong.length === 0 ? `closed within ${tookMs.toFixed(0)} ms, nothing left` : wrong.join('; '),
      required: `closed within ${CLOSE_WITHIN_MS} ms, no timer, no lease, no order taken`,
      why: 'A trial kit was closed twice after some work; then its clock was searched for timers, an order was tried, and the next kit started on its journal.',
    };
  },
};
