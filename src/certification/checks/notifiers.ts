import type { AlertGroup, Notifier } from '../../contracts/alerts.js';
import { systemClock } from '../../core/clock.js';
import { asError, VenueKitError } from '../../core/errors.js';
import { redactText } from '../../core/logger.js';
import { type Check, figure } from '../check.js';

const MOST_S = 60;
const DRILL_MS = 10_000;

/** Somebody is told: of an outage on a trial kit, and by the host's own notifiers of a drill. */
export const notifiers: Check = {
  id: 'production.notifiers',
  category: 'production',
  critical: false,
  async run(context) {
    const given = context.host.options.notifiers ?? [];
    const { toldAfterS, resolvedTold } = await context.outage();
    const found: string[] = [];
    let passed = given.length > 0;
    for (const notifier of given) {
      const seconds = toldAfterS.get(notifier.name);
      const failure = context.drill ? await drill(notifier, context.ground.signal) : 'no drill was asked for';
      passed &&= seconds !== undefined && seconds <= MOST_S && resolvedTold.has(notifier.name) && failure === undefined;
      found.push(
        `${notifier.name}: ${seconds === undefined ? 'never told' : `told after ${figure(seconds)} s`}${resolvedTold.has(notifier.name) ? '' : ', never that it was over'}, drill ${failure ?? 'taken'}`,
      );
    }
    return {
      passed,
      measured: given.length === 0 ? 'no notifier' : found.join('; '),
      required: `at least one notifier, each told within ${MOST_S} s and when it was over, each taking the drill`,
      why: 'A stand-in under the name of each notifier was told of the outage of a trial kit; the notifiers themselves were handed an alert and its end that say that they are a drill.',
    };
  },
};

/** @returns what went wrong */
async function drill(notifier: Notifier, signal: AbortSignal): Promise<string | undefined> {
  const at = systemClock.now();
  const alert = {
    fingerprint: 'venuekit-certification-drill',
    rule: 'certification-drill',
    severity: 'info',
    labels: { drill: 'true' },
    state: 'firing',
    value: 1,
    firedAt: at,
    suppressedBy: [],
    summary: 'A drill of venuekit certify: this channel is being tried. Nothing is wrong.',
  } as const;
  const groups: readonly AlertGroup[] = [
    { status: 'firing', alerts: [alert] },
    { status: 'resolved', alerts: [{ ...alert, state: 'inactive', resolvedAt: at }] },
  ];
  for (const group of groups) {
    const over = new AbortController();
    const limit = new Promise<never>((_, reject) => {
      over.signal.addEventListener('abort', () => reject(asError(over.signal.reason)), { once: true });
    });
    limit.catch(() => {});
    const timer = systemClock.schedule(DRILL_MS, () => over.abort(new VenueKitError('TIMEOUT', `not taken within ${DRILL_MS / 1000} s`)));
    const abort = (): void => over.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([notifier.notify(group, over.signal), limit]);
    } catch (error) {
      return `failed: ${redactText(asError(error).message)}`;
    } finally {
      timer[Symbol.dispose]();
      signal.removeEventListener('abort', abort);
    }
  }
  return undefined;
}
