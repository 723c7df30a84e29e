import {
  ConsecutiveBreaker,
  circuitBreaker as cockatielBreaker,
  bulkhead as cockatielBulkhead,
  retry as cockatielRetry,
  timeout as cockatielTimeout,
  ExponentialBackoff,
  handleAll,
  SamplingBreaker,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import pRetry from 'p-retry';
import pTimeout from 'p-timeout';
import { systemClock } from '../src/core/clock.js';
import type { Limit } from '../src/core/limits.js';
import { Bulkhead, CircuitBreaker, Hedge, Pipeline, RateLimiter, RetryBudget } from '../src/resilience/index.js';
import { type Comparison, type Contender, compare, digits, publish, toMarkdown } from './harness.js';

/** As much of opossum as is used here: it comes without types. */
interface Opossum {
  default: new (
    action: () => Promise<number>,
    options: { timeout: number | false; capacity?: number },
  ) => { fire(): Promise<number>; shutdown(): void };
}

const TIMES =
  'All times are processor time of this process, with the threads of the collector and the compiler: nothing here waits, and what else the machine does is left out.\n';

const clock = systemClock;
const BIG = 1_000_000_000;

const ANSWER = Promise.resolve(1);

/** The call that all contenders protect: it suspends once, as every real call does, and does nothing else. */
async function venueCall(): Promise<number> {
  return await ANSWER;
}

function contender(name: string, role: Contender['role'], call: () => Promise<number>): Contender {
  return {
    name,
    role,
    async run(iterations) {
      let sum = 0;
      for (let i = 0; i < iterations; i++) sum += await call();
      if (sum !== iterations) throw new Error(`${name}: ${sum} of ${iterations} calls answered`);
      return sum;
    },
  };
}

const classify = (): { retry: boolean } => ({ retry: true });
const retry = { max: 3, baseMs: 100, capMs: 5_000 };

/** Deadline, retries, budget, breaker and bulkhead: what the peers have, and the budget. */
function usualPolicies(): Pipeline {
  return new Pipeline({
    clock,
    timeoutMs: 1_000,
    deadlineMs: 5_000,
    retry,
    classify,
    budget: new RetryBudget({ clock }),
    breaker: new CircuitBreaker({ clock }),
    bulkhead: new Bulkhead({ maxInFlight: 50 }),
  });
}

function allPolicies(): { pipeline: Pipeline; costs: { limit: string; units: number }[] } {
  const budget = new RetryBudget({ clock });
  const pipeline = new Pipeline({
    clock,
    timeoutMs: 1_000,
    deadlineMs: 5_000,
    retry,
    classify,
    budget,
    breaker: new CircuitBreaker({ clock }),
    bulkhead: new Bulkhead({ maxInFlight: 50 }),
    limiter: new RateLimiter({ clock, limits: [{ id: 'weight', scope: 'ip', kind: 'window', units: BIG, perMs: 1_000 }] }),
    hedge: new Hedge({ budget }),
    onAttempt: () => {},
  });
  return { pipeline, costs: [{ limit: 'weight', units: 1 }] };
}

export default async function bench(): Promise<void> {
  const usual = usualPolicies();
  const all = allPolicies();
  const options = { costs: all.costs };
  const timed = new Pipeline({ clock, timeoutMs: 1_000 });

  const { default: OpossumBreaker } = (await import('opossum' as string)) as Opossum;
  const opossum = new OpossumBreaker(venueCall, { timeout: 1_000, capacity: 50 });
  const opossumNoTimeout = new OpossumBreaker(venueCall, { timeout: false });
  const breaker = (): ReturnType<typeof cockatielBreaker> =>
    cockatielBreaker(handleAll, { halfOpenAfter: 5_000, breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000 }) });
  const retryPolicy = cockatielRetry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() });
  const withTimeout = wrap(retryPolicy, breaker(), cockatielBulkhead(50, 1_000), cockatielTimeout(1_000, TimeoutStrategy.Aggressive));
  const withoutTimeout = wrap(
    retryPolicy,
    cockatielBreaker(handleAll, { halfOpenAfter: 5_000, breaker: new ConsecutiveBreaker(5) }),
    cockatielBulkhead(50, 1_000),
  );

  const OURS = 'Pipeline: deadline, retry, budget, breaker, bulkhead';
  const path = await compare(
    'A call that succeeds',
    [
      contender('bare async call', 'floor', () => venueCall()),
      contender(OURS, 'ours', () => usual.run(venueCall)),
      contender('Pipeline: all of it, with limiter, hedge and a hook', 'ours', () => all.pipeline.run(venueCall, options)),
      contender('Pipeline: deadline only', 'ours', () => timed.run(venueCall)),
      contender('opossum with timeout', 'peer', () => opossum.fire()),
      contender('opossum without timeout', 'peer', () => opossumNoTimeout.fire()),
      contender('cockatiel retry+breaker+bulkhead+timeout', 'peer', () => withTimeout.execute(venueCall)),
      contender('cockatiel retry+breaker+bulkhead', 'peer', () => withoutTimeout.execute(venueCall)),
      contender('p-retry + p-timeout', 'peer', () => pRetry(() => pTimeout(venueCall(), { milliseconds: 1_000 }), { retries: 3 })),
    ],
    {
      rounds: 15,
      maxIterations: 300_000,
      time: 'processor',
      targets: (ns) => {
        const ratio = (name: string): number => ns(name) / ns(OURS);
        const row = (target: string, reached: number, met: boolean): { target: string; reached: string; met: boolean } => ({
          target,
          reached: `${digits(reached)}×`,
          met,
        });
        const toBare = ns(OURS) / ns('bare async call');
        return [
          row('at most 3× a bare async call', toBare, toBare <= 3),
          // As it comes opossum has a timeout (10 s); without one it does less than a pipeline with a deadline.
          row('at least 3× faster than opossum with its timeout, as it comes', ratio('opossum with timeout'), ratio('opossum with timeout') >= 3),
          row('and than opossum with its timeout off', ratio('opossum without timeout'), ratio('opossum without timeout') >= 3),
          row(
            'at least 50× faster than cockatiel with timeout',
            ratio('cockatiel retry+breaker+bulkhead+timeout'),
            ratio('cockatiel retry+breaker+bulkhead+timeout') >= 50,
          ),
        ];
      },
    },
  );
  opossum.shutdown();
  opossumNoTimeout.shutdown();
  publish('resilience', [TIMES, toMarkdown(path), toMarkdown(await leastOfADeadline(timed)), toMarkdown(await gates())]);
}

/**
 * What a deadline costs however it is written: the caller waits for a promise that the work or the
 * time may settle, whichever is first, and somebody has to know when the call began.
 */
function leastOfADeadline(pipeline: Pipeline): Promise<Comparison> {
  let settle: (value: number) => void;
  const onValue = (value: number): void => settle(value);
  const outside = (): Promise<number> => {
    const promise = new Promise<number>((resolve) => {
      settle = resolve;
    });
    void venueCall().then(onValue, onValue);
    return promise;
  };
  let startedAt = 0;
  return compare(
    'What a deadline costs at least, written by hand for one call at a time',
    [
      contender('bare async call', 'floor', () => venueCall()),
      contender('and a promise that something else may settle', 'peer', outside),
      contender('and one read of the clock', 'peer', () => {
        const now = clock.monotonic();
        if (now < startedAt) throw new Error('the clock went back');
        startedAt = now;
        return outside();
      }),
      contender('Pipeline: deadline only', 'ours', () => pipeline.run(venueCall)),
    ],
    { maxIterations: 300_000, time: 'processor' },
  );
}

/** What one decision of each policy costs by itself; the limiter also with many symbols and many waiters. */
async function gates(): Promise<Comparison> {
  const breaker = new CircuitBreaker({ clock });
  const bulkhead = new Bulkhead({ maxInFlight: 50 });
  const budget = new RetryBudget({ clock });
  const wide: Limit = { id: 'weight', scope: 'ip', kind: 'window', units: BIG, perMs: 1_000 };
  const bySymbol: Limit = { ...wide, id: 'symbol', scope: 'symbol' };
  const limiter = new RateLimiter({ clock, limits: [wide, bySymbol] });
  const read = { priority: 'read' } as const;
  const weight = [{ limit: 'weight', units: 1 }];
  const perSymbol = [{ limit: 'symbol', units: 1 }];
  const symbols = Array.from({ length: 10_000 }, (_, i) => ({ priority: 'read' as const, symbol: `S${i}/USDT` }));
  // Ten thousand callers wait for a limit that is full; what others cost is not theirs.
  const full: Limit = { id: 'full', scope: 'ip', kind: 'window', units: 1, perMs: 3_600_000 };
  const crowded = new RateLimiter({ clock, limits: [full, wide], reserve: 0 });
  crowded.tryAcquire([{ limit: 'full', units: 1 }], read);
  for (let i = 0; i < 10_000; i++) crowded.acquire([{ limit: 'full', units: 1 }], read).catch(() => {});
  const repeat = (name: string, role: Contender['role'], step: (i: number) => boolean): Contender => ({
    name,
    role,
    run(iterations) {
      let passed = 0;
      for (let i = 0; i < iterations; i++) passed += Number(step(i));
      if (passed !== iterations) throw new Error(`${name}: ${passed} of ${iterations} passed`);
      return passed;
    },
  });
  const comparison = await compare(
    'One decision',
    [
      repeat('one read of the clock', 'floor', () => clock.monotonic() > 0),
      repeat('CircuitBreaker allow + success', 'ours', () => {
        const allowed = breaker.allow();
        breaker.success();
        return allowed;
      }),
      repeat('Bulkhead tryEnter + leave', 'ours', () => {
        const entered = bulkhead.tryEnter();
        bulkhead.leave();
        return entered;
      }),
      repeat('RetryBudget earn', 'ours', () => {
        budget.earn();
        return true;
      }),
      repeat('RateLimiter tryAcquire', 'ours', () => limiter.tryAcquire(weight, read)),
      repeat('RateLimiter tryAcquire, 10,000 symbols', 'ours', (i) => limiter.tryAcquire(perSymbol, symbols[i % 10_000] as (typeof symbols)[number])),
      repeat('RateLimiter tryAcquire beside 10,000 waiters', 'ours', () => crowded.tryAcquire(weight, read)),
    ],
    { maxIterations: 1_000_000, time: 'processor' },
  );
  crowded.close();
  return comparison;
}
