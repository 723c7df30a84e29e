import type { KitTuning } from '../contracts/kit-tuning.js';
import type { MarketKind } from '../contracts/market-data.js';
import { defaultPolicies } from '../market-data/kind-policy.js';
import { fullPolicy } from '../trading/trading-defaults.js';

const DEFAULT_MAX_ENTRIES = 15_000;
const DEFAULT_CONCURRENCY = 12;

/** What was in force: what the run or the host says, and defaults for the rest; by path, as `policy.timeoutMs`. */
export function presentOptions(told: KitTuning | undefined): (path: string) => unknown {
  const { policy, marketData, fetcher, pools } = told ?? {};
  const kinds = Object.fromEntries(
    (Object.keys(defaultPolicies) as MarketKind[]).map((kind) => {
      const { ttlMs, prefetch } = defaultPolicies[kind];
      return [kind, { ttlMs, prefetch, ...marketData?.kinds?.[kind] }];
    }),
  );
  const whole = {
    policy: fullPolicy(policy),
    marketData: { maxEntries: DEFAULT_MAX_ENTRIES, ...marketData, kinds },
    fetcher: { concurrency: DEFAULT_CONCURRENCY, ...fetcher },
    pools: pools ?? {},
  };
  return (path) => {
    let value: unknown = whole;
    for (const name of pathOf(path)) value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
    return value;
  };
}

/** The members on the way to an option. Names of pools may have dots in them. */
export function pathOf(path: string): readonly string[] {
  const [, pool, option] = /^pools\.(.+?)(?:\.(max|min|idleTimeoutMs|maxLifetimeMs))?$/.exec(path) ?? [];
  if (pool === undefined) return path.split('.');
  return option === undefined ? ['pools', pool] : ['pools', pool, option];
}
