import fc from 'fast-check';
import type { Fault } from '../../../src/testing/index.js';

/** What may strike the calls of an order path, a few times. */
export const anyFault: fc.Arbitrary<Fault> = fc
  .record({
    operation: fc.constantFrom('place', 'place', 'find', 'openOrders', 'history', 'serverTime'),
    kind: fc.constantFrom('drop' as const, 'delay' as const, 'reset' as const, 'status' as const, 'html' as const, 'duplicate' as const),
    when: fc.constantFrom('before' as const, 'after' as const),
    times: fc.integer({ min: 1, max: 3 }),
    ms: fc.constantFrom(50, 700, 3_000),
    status: fc.constantFrom(429, 500, 503, 504),
  })
  .map(({ kind, ms, status, ...rest }) => ({
    ...rest,
    kind,
    ...(kind === 'delay' || kind === 'duplicate' ? { ms } : kind === 'status' ? { status } : {}),
  }));
