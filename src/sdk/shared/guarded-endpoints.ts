import type { Attempt, Cost, Verdict } from '../../contracts/broker.js';
import type { TradingError, TradingErrorCode } from '../../contracts/trading-error.js';
import { isVenueKitError, VenueKitError } from '../../core/errors.js';
import type { Priority } from '../../core/limits.js';
import { type ErrorFacts, withFacts } from './error-facts.js';
import type { SdkSession } from './sdk-session.js';
import type { Stoppable } from './stoppable.js';

/** What a failed call proved. */
export type FailureVerdict = Exclude<Verdict, { kind: 'accepted' }>;

/** How one call of the SDK ended. */
export type EndpointOutcome = { readonly result: unknown } | { readonly error: unknown; readonly verdict: FailureVerdict };

/** One attempt at such a call. */
export interface EndpointAttempt extends Stoppable, Pick<Attempt, 'venueNow'> {}

/** One call of the SDK that is no order of the order path. */
export interface Endpoint {
  /** For metrics and limits: few names in all. */
  readonly operation: string;
  readonly costs: readonly Cost[];
  readonly priority: Priority;
  /** Makes the call, once. An attempt whose signal has aborted is waited for no longer. */
  call(attempt: EndpointAttempt): Promise<EndpointOutcome>;
}

/** A call of the SDK that failed, with what the policies need to know. The bot never sees it. */
class EndpointFailure extends VenueKitError {
  readonly verdict: FailureVerdict;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;

  constructor(verdict: FailureVerdict, error: unknown, retryable: boolean) {
    super('ENDPOINT_FAILURE', 'a call of the SDK failed', { cause: error });
    this.verdict = verdict;
    this.retryable = retryable;
    if (verdict.kind === 'refused' && verdict.retryAfterMs !== undefined) this.retryAfterMs = verdict.retryAfterMs;
  }
}

/** The calls of an SDK that the order path does not make itself, behind limits, deadline and breaker. Errors stay the SDK's own. */
export class GuardedEndpoints {
  readonly #session: SdkSession;
  readonly #warned = new Set<string>();

  constructor(session: SdkSession) {
    this.#session = session;
  }

  /** What may be made twice. @param hedge - `false` for what changes something: a second copy would be a second change */
  async repeatable(
    endpoint: Endpoint,
    options: { readonly hedge?: boolean; readonly onFailure?: (verdict: FailureVerdict) => void } = {},
  ): Promise<unknown> {
    const { hedge = true, onFailure } = options;
    try {
      return await this.#read(endpoint, hedge, (verdict) => {
        onFailure?.(verdict);
        return verdict.kind !== 'rejected' && verdict.kind !== 'duplicate';
      });
    } catch (error) {
      throw told(error, 'no');
    }
  }

  /** Any other write: made once, unless it certainly was not done. Says so in the log, once for each operation. */
  async once(endpoint: Endpoint, name: string): Promise<unknown> {
    if (!this.#warned.has(name)) {
      this.#warned.add(name);
      this.#session.logger.warn(
        { endpoint: name },
        'this call is not one that the order path knows: it is sent once, within the limits, and a failure without an answer leaves its outcome open; see factsOf(error)',
      );
    }
    let isStarted = false;
    const call: Endpoint['call'] = (attempt) => {
      isStarted = true;
      return endpoint.call(attempt);
    };
    try {
      return await this.#read({ ...endpoint, call }, false, (verdict) => {
        const isUndone = verdict.kind === 'not_sent' || (verdict.kind === 'refused' && verdict.ban !== true);
        if (isUndone) isStarted = false;
        return isUndone;
      });
    } catch (error) {
      throw told(error, isStarted ? 'maybe' : 'no');
    }
  }

  #read(endpoint: Endpoint, hedge: boolean, isRetryable: (verdict: FailureVerdict) => boolean): Promise<unknown> {
    const { operation, costs, priority } = endpoint;
    return this.#session.client.read(
      operation,
      async (attempt) => {
        const outcome = await endpoint.call(attempt);
        if ('result' in outcome) return outcome.result;
        throw new EndpointFailure(outcome.verdict, outcome.error, isRetryable(outcome.verdict));
      },
      { priority, costs, hedge, isBare: true },
    );
  }
}

const CODES: Readonly<Record<FailureVerdict['kind'], TradingErrorCode>> = {
  rejected: 'REJECTED',
  duplicate: 'REJECTED',
  refused: 'REFUSED',
  not_sent: 'NOT_SENT',
  unknown: 'OUTCOME_UNKNOWN',
};

/** The SDK's own error out of what the policies made of it, with the facts beside it. @param sent - where the outcome is unknown */
function told(error: unknown, sent: ErrorFacts['sent']): unknown {
  const inner = isVenueKitError(error) && error.cause instanceof EndpointFailure ? error.cause : error;
  if (inner instanceof EndpointFailure) {
    const { kind } = inner.verdict;
    return withFacts(inner.cause, {
      code: CODES[kind],
      sent: kind === 'rejected' || kind === 'duplicate' ? 'yes' : kind === 'unknown' ? sent : 'no',
    });
  }
  if (isVenueKitError(error) && 'sent' in error) return withFacts(error, { code: (error as TradingError).code, sent });
  return error;
}
