import type { Attempt, Cost, Verdict } from '../../contracts/broker.js';
import type { TradingError, TradingErrorCode } from '../../contracts/trading-error.js';
import { isVenueKitError, VenueKitError } from '../../core/errors.js';
import type { Priority } from '../../core/limits.js';
import type { RunOptions } from '../../resilience/pipeline-options.js';
import { readError } from '../../trading/guarded-reads.js';
import { type ErrorFacts, withFacts } from './error-facts.js';
import type { HttpFacts } from './http-facts.js';
import { type LocalFailureRow, localFailureOf } from './local-failures.js';
import type { SdkSession } from './sdk-session.js';
import type { Stoppable } from './stoppable.js';

/** What a failed call proved. */
export type FailureVerdict = Exclude<Verdict, { kind: 'accepted' }>;

/** How one call of the SDK ended. */
export type EndpointOutcome = { readonly result: unknown } | { readonly error: unknown; readonly facts: HttpFacts };

/** What a failed call proved, by what the venue answered. */
type VerdictOf = (facts: HttpFacts, error: unknown) => FailureVerdict;

/** One attempt at such a call. */
export interface EndpointAttempt extends Stoppable, Pick<Attempt, 'venueNow'> {}

/** One call of the SDK that is no order of the order path. */
export interface Endpoint {
  /** For metrics and limits: few names in all. */
  readonly operation: string;
  readonly costs: readonly Cost[];
  readonly priority: Priority;
  /** Makes the call, once. Nobody waits any longer for one that is given up, whether or not it hears of its signal. */
  call(attempt: EndpointAttempt): Promise<EndpointOutcome>;
}

/** What makes a call of the bot, given what stands in place of its own body. */
interface Sender<B> {
  send(attempt: EndpointAttempt, body?: B): Promise<EndpointOutcome>;
}

/** A call of the bot as it is. */
export class SentEndpoint<B = unknown> implements Endpoint {
  readonly operation: string;
  readonly costs: readonly Cost[];
  readonly priority: Priority;
  private readonly sender: Sender<B>;
  private readonly body: B | undefined;

  constructor(sender: Sender<B>, operation: string, costs: readonly Cost[], priority: Priority, body?: B) {
    this.operation = operation;
    this.costs = costs;
    this.priority = priority;
    this.sender = sender;
    this.body = body;
  }

  call(attempt: EndpointAttempt): Promise<EndpointOutcome> {
    return this.sender.send(attempt, this.body);
  }
}

/** A call of the SDK that failed, with what the policies need to know. The bot never sees it. */
class EndpointFailure extends VenueKitError {
  readonly verdict: FailureVerdict;
  readonly retryable: boolean;
  readonly local: LocalFailureRow | undefined;
  readonly retryAfterMs?: number;

  constructor(verdict: FailureVerdict, error: unknown, retryable: boolean, local: LocalFailureRow | undefined) {
    super('ENDPOINT_FAILURE', 'a call of the SDK failed', { cause: error });
    this.verdict = verdict;
    this.retryable = retryable && local === undefined;
    this.local = local;
    if (verdict.kind === 'refused' && verdict.retryAfterMs !== undefined) this.retryAfterMs = verdict.retryAfterMs;
  }
}

/** The calls of an SDK that the order path does not make itself, behind limits, deadline and breaker. Errors stay the SDK's own. */
export class GuardedEndpoints {
  readonly #session: SdkSession;
  readonly #verdictOf: VerdictOf;
  readonly #warned = new Set<string>();

  constructor(session: SdkSession, verdictOf: VerdictOf) {
    this.#session = session;
    this.#verdictOf = verdictOf;
  }

  /**
   * What may be made twice.
   * @param hedge - `false` for what changes something: a second copy would be a second change.
   * @param onFailure - hears what each attempt that failed has proved.
   */
  repeatable(endpoint: Endpoint, hedge: boolean, onFailure?: (verdict: FailureVerdict) => void): Promise<unknown> {
    const resultOf = onFailure === undefined ? this.#readResult : (outcome: EndpointOutcome) => this.#resultOf(outcome, isWorthAnother, onFailure);
    return this.#read(endpoint, resultOf, { hedge, asThrown: toldUnsent });
  }

  // Made once, and not for each of the reads.
  readonly #readResult = (outcome: EndpointOutcome): unknown => this.#resultOf(outcome, isWorthAnother);

  /** Any other write: made once, unless it certainly was not done. Says so in the log, once for each operation. */
  once(endpoint: Endpoint, name: string): Promise<unknown> {
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
    const isUndone = (verdict: FailureVerdict): boolean => {
      const isProved = verdict.kind === 'not_sent' || (verdict.kind === 'refused' && verdict.ban !== true);
      if (isProved) isStarted = false;
      return isProved;
    };
    return this.#read({ ...endpoint, call }, (outcome) => this.#resultOf(outcome, isUndone), {
      hedge: false,
      retryTimeouts: false,
      asThrown: (error) => told(error, isStarted ? 'maybe' : 'no'),
    });
  }

  // Between the bot's call and the SDK's own there is as little as can be: each promise on the way costs a read more than the policies do.
  #read(
    endpoint: Endpoint,
    resultOf: (outcome: EndpointOutcome) => unknown,
    { hedge, retryTimeouts, asThrown }: Pick<RunOptions, 'hedge' | 'retryTimeouts' | 'asThrown'>,
  ): Promise<unknown> {
    const { operation, costs, priority } = endpoint;
    const options = { priority, costs, hedge, retryTimeouts, isBare: true, isDetached: true, asThrown };
    return this.#session.client.read(operation, (attempt) => endpoint.call(attempt).then(resultOf), options);
  }

  #resultOf(outcome: EndpointOutcome, isRetryable: (verdict: FailureVerdict) => boolean, onFailure?: (verdict: FailureVerdict) => void): unknown {
    if ('result' in outcome) return outcome.result;
    const verdict = this.#verdictOf(outcome.facts, outcome.error);
    onFailure?.(verdict);
    throw new EndpointFailure(verdict, outcome.error, isRetryable(verdict), localFailureOf(outcome.facts, outcome.error));
  }
}

function isWorthAnother({ kind }: FailureVerdict): boolean {
  return kind !== 'rejected' && kind !== 'duplicate';
}

function toldUnsent(error: Error): unknown {
  return told(error, 'no');
}

const CODES: Readonly<Record<FailureVerdict['kind'], TradingErrorCode>> = {
  rejected: 'REJECTED',
  duplicate: 'REJECTED',
  refused: 'REFUSED',
  not_sent: 'NOT_SENT',
  unknown: 'OUTCOME_UNKNOWN',
};

/** The SDK's own error out of what the policies made of it, with the facts beside it. @param sent - where the outcome is unknown */
function told(thrown: Error, sent: ErrorFacts['sent']): unknown {
  const error = readError(thrown);
  const inner = isVenueKitError(error) && error.cause instanceof EndpointFailure ? error.cause : error;
  if (inner instanceof EndpointFailure) {
    const { kind } = inner.verdict;
    return withFacts(inner.cause, {
      code: inner.local?.tells ?? CODES[kind],
      sent: kind === 'rejected' || kind === 'duplicate' ? 'yes' : kind === 'unknown' ? sent : 'no',
    });
  }
  if (isVenueKitError(error) && 'sent' in error) return withFacts(error, { code: (error as TradingError).code, sent });
  return error;
}
