import type { MetricRetention } from '../../contracts/metric-store.js';
import { requireKnown, requireNonNegative, requireObject, requirePositive } from '../../core/options.js';

/** How long each tier is kept, counted back from the newest tick. */
export type RetentionPolicy = MetricRetention;

/** Raw 6 hours, minutes 14 days, hours a year. */
export const DEFAULT_RETENTION: RetentionPolicy = { rawMs: 6 * 3_600_000, minuteMs: 14 * 86_400_000, hourMs: 365 * 86_400_000 };

/** @throws RangeError or TypeError when `policy` can't be meant. */
export function requireRetention(policy: RetentionPolicy): RetentionPolicy {
  requireKnown('retain', requireObject('policy', policy), ['rawMs', 'minuteMs', 'hourMs', 'maxBytes']);
  for (const tier of ['rawMs', 'minuteMs', 'hourMs'] as const) requireNonNegative(tier, policy[tier]);
  if (policy.maxBytes !== undefined) requirePositive('maxBytes', policy.maxBytes);
  return policy;
}
