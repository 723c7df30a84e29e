import type { Check } from './check.js';
import { alertRules } from './checks/alert-rules.js';
import { analytics } from './checks/analytics.js';
import { breaker } from './checks/breaker.js';
import { clockOffset } from './checks/clock-offset.js';
import { closing } from './checks/closing.js';
import { dashboard } from './checks/dashboard.js';
import { durability } from './checks/durability.js';
import { errors } from './checks/errors.js';
import { events } from './checks/events.js';
import { freshness } from './checks/freshness.js';
import { halt } from './checks/halt.js';
import { hitRate } from './checks/hit-rate.js';
import { idempotence } from './checks/idempotence.js';
import { latencyDrift } from './checks/latency-drift.js';
import { limits } from './checks/limits.js';
import { limitsConfigured } from './checks/limits-configured.js';
import { memoryDrift } from './checks/memory-drift.js';
import { metrics } from './checks/metrics.js';
import { notifiers } from './checks/notifiers.js';
import { orderLatency } from './checks/order-latency.js';
import { orderSafety } from './checks/order-safety.js';
import { parts } from './checks/parts.js';
import { pools } from './checks/pools.js';
import { readLatency } from './checks/read-latency.js';
import { readOverhead } from './checks/read-overhead.js';
import { reconciliation } from './checks/reconciliation.js';
import { recovery } from './checks/recovery.js';
import { requests } from './checks/requests.js';
import { retention } from './checks/retention.js';
import { secrets } from './checks/secrets.js';
import { singleWriter } from './checks/single-writer.js';
import { urgentCancels } from './checks/urgent-cancels.js';

/** Every check, in the order in which they run: the host's own kit first, the longest last. */
export const checks: readonly Check[] = [
  ...[parts, clockOffset, limitsConfigured, dashboard],
  ...[events, metrics, analytics, closing, reconciliation],
  ...[errors, readLatency, orderLatency, requests, hitRate, readOverhead],
  ...[freshness, idempotence, halt, limits, urgentCancels, breaker, recovery, latencyDrift, memoryDrift, pools],
  ...[singleWriter, secrets, alertRules, notifiers, retention, orderSafety, durability],
];
