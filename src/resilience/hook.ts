import { asError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';

/** Calls `hook` with `fact`; what it throws is logged, since a listener must not fail the call that it listens to. */
export function callHook<T>(hook: ((fact: T) => void) | undefined, fact: T, logger: Logger): void {
  if (hook === undefined) return;
  try {
    hook(fact);
  } catch (thrown) {
    logger.error({ error: asError(thrown) }, 'a hook of a policy threw');
  }
}
