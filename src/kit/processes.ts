import type { BrokerAdapter } from '../contracts/broker.js';
import type { Bus } from '../contracts/events.js';
import type { OrderJournal } from '../contracts/journal.js';
import type { MetricStore } from '../contracts/metric-store.js';
import type { Wiring } from '../contracts/wiring.js';
import type { Cleanup } from '../core/cleanup.js';
import { requireMethods } from '../core/options.js';
import type { PostgresPool } from '../stores/postgres/index.js';
import type { RedisCacheStore, RedisClient, RedisLimits } from '../stores/redis/index.js';
import type { ResilientTradingClient } from '../trading/index.js';

/** Everything of a kit has the same of these. */
export type KitWiring = Wiring & { readonly bus: Bus };

/** What processes with one Redis share. */
export interface SharedByRedis {
  readonly limits?: RedisLimits;
  readonly cache: RedisCacheStore;
  /** Joins the breakers and halts of a client to those of the others. */
  join(trading: ResilientTradingClient): void;
}

const STRICTNESS: Readonly<Record<string, number>> = { active: 0, reduce_only: 1, halted: 2 };

/** The parts that a host's Redis gives to a kit; loaded only where there is one. */
export async function sharedByRedis(
  client: RedisClient,
  {
    wiring,
    account,
    broker,
    made,
  }: { readonly wiring: KitWiring; readonly account: string; readonly broker: BrokerAdapter | undefined; readonly made: Cleanup },
): Promise<SharedByRedis> {
  const { redisBreakers, redisBusBridge, redisCacheStore, redisLimits } = await import('../stores/redis/index.js');
  const { bus, clock, logger } = wiring;
  const common = { ...(clock && { clock }), ...(logger && { logger }) };
  let trading: ResilientTradingClient | undefined;
  made.use(
    redisBusBridge(client, {
      ...common,
      bus,
      account,
      onRemote: (event, payload, whose) => {
        if (event === 'halt' && whose === account && trading !== undefined)
          haltToo(trading, payload as { readonly mode: string; readonly reason: string });
      },
    }),
  );
  const cache = made.use(redisCacheStore(client, { ...common, bus }));
  const limits =
    broker === undefined ? undefined : made.use(redisLimits(client, { ...common, bus, venue: broker.venue, limits: broker.limits, account }));
  return {
    ...(limits === undefined ? {} : { limits }),
    cache,
    join: (joined) => {
      trading = joined;
      if (broker !== undefined) made.use(redisBreakers(client, { ...common, bus, venue: broker.venue, client: joined }));
    },
  };
}

/** What another process says of the account only ever lowers the risk: nobody but a person lets trading go on. */
function haltToo(trading: ResilientTradingClient, { mode, reason }: { readonly mode: string; readonly reason: string }): void {
  if (mode !== 'halted' && mode !== 'reduce_only') return;
  try {
    if ((STRICTNESS[trading.mode()] ?? 0) >= (STRICTNESS[mode] ?? 0)) return;
    trading.halt(mode, reason).catch(() => {});
  } catch {
    // It does not lead: the halt is in the journal of whoever does.
  }
}

export async function journalOn(pool: PostgresPool, { bus, clock, logger }: KitWiring): Promise<OrderJournal & AsyncDisposable> {
  const { postgresOrderJournal } = await import('../stores/postgres/index.js');
  return postgresOrderJournal(pool, { bus, ...(clock && { clock }), ...(logger && { logger }) });
}

/** Under the name of this process: two that write under one are refused. */
export async function metricsOn(pool: PostgresPool, owner: string, { clock, logger }: KitWiring): Promise<MetricStore> {
  const { DEFAULT_RETENTION, postgresMetricStore } = await import('../stores/postgres/index.js');
  return postgresMetricStore(pool, { name: owner, retention: DEFAULT_RETENTION, ...(clock && { clock }), ...(logger && { logger }) });
}

/**
 * Refuses a Redis where a journal is needed.
 * @throws TypeError
 */
export function requireDurableJournal(given: {
  readonly journal?: OrderJournal | undefined;
  readonly redis?: RedisClient | undefined;
  readonly hasOther: boolean;
}): void {
  const why = 'a Redis acknowledges before its disk has it, and may lose orders';
  const { journal, redis, hasOther } = given;
  if (journal !== undefined && ('call' in journal || 'sendCommand' in journal))
    throw new TypeError(`journal must be an order journal, got a Redis client: ${why}. Use postgresOrderJournal or SqliteOrderJournal.`);
  if (journal !== undefined) requireMethods('journal', journal, ['acquire', 'append', 'byIntent', 'unresolved', 'cursor', 'setCursor', 'compact']);
  if (redis !== undefined && journal === undefined && !hasOther)
    throw new TypeError(
      `redis keeps no order journal: ${why}, and one in memory lets two processes trade one account. Give postgres, dataDir or journal as well.`,
    );
}
