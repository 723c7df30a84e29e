export { type Backoff, type FullJitterOptions, fullJitter } from './backoff.js';
export { type BreakerChange, type BreakerState, CircuitBreaker, type CircuitBreakerOptions } from './circuit-breaker.js';
export { PolicyError, type PolicyErrorCode, type PolicyErrorFacts } from './policy-error.js';
export { type AcquireOptions, RateLimiter, type RateLimiterOptions, type SpendOptions } from './rate-limiter.js';
export { RetryBudget, type RetryBudgetOptions } from './retry-budget.js';
