import { abortable } from '../../core/abort.js';
import type { HttpFacts } from '../shared/http-facts.js';
import type { CallOutcome, CallRecord, CallWatcher } from './call-record.js';
import type { CcxtExchange } from './exchange.js';

/** ccxt's own retries re-sign and so move the fence. */
export const ONE_TRY = { maxRetriesOnFailure: 0 } as const;

/** For ccxt's own time limit to end a call first, with the error that the bot expects. */
export const GRACE_MS = 250;

/** How one call of ccxt ended, with what is known of its answer. */
export type RecordedOutcome = { readonly result: unknown; readonly record: CallRecord } | { readonly error: unknown; readonly facts: HttpFacts };

/** Makes one call of the SDK, with its record. Never rejects. @param areLimitsKept - whether ccxt's own limiter is passed by */
export async function recordedCall<S extends CcxtExchange>(
  watcher: CallWatcher<S>,
  areLimitsKept: boolean,
  work: (sdk: S) => Promise<unknown>,
  signal: AbortSignal,
): Promise<RecordedOutcome> {
  if (signal.aborted) return { facts: { sent: false }, error: signal.reason };
  let started: CallRecord = { sent: true };
  const running = watcher.run(areLimitsKept, work, (record) => {
    started = record;
  });
  let outcome: CallOutcome<unknown>;
  try {
    outcome = await abortable(running, signal);
  } catch (error) {
    // ccxt takes no signal: a request on its way goes on, and what becomes of it is not known. One
    // that has not left by now is held back, which makes "not sent" a proof.
    started.abandoned = true;
    return { facts: { sent: started.sent }, error };
  }
  return 'error' in outcome ? { facts: outcome.record, error: outcome.error } : outcome;
}
