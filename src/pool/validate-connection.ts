import type { Clock } from '../core/clock.js';
import type { Connection } from './connection.js';
import type { PoolPolicy } from './pool-options.js';

/** Whether the connection is fit: at once where the host's check answers at once. A throw, and an answer that takes too long, is a no. */
export function validateConnection<T>(connection: Connection<T>, policy: PoolPolicy<T>, clock: Clock): boolean | Promise<boolean> {
  const { validate, validateTimeoutMs } = policy;
  connection.isSuspect = false;
  if (validate === undefined) return true;
  try {
    const answer = validate(connection.resource);
    return typeof answer === 'boolean' ? answer : answerWithin(answer, validateTimeoutMs, clock);
  } catch {
    return false;
  }
}

function answerWithin(answer: Promise<boolean>, ms: number, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const tooLong = clock.schedule(ms, () => resolve(false));
    const settle = (fit: boolean): void => {
      tooLong[Symbol.dispose]();
      resolve(fit);
    };
    answer.then(settle, () => settle(false));
  });
}
