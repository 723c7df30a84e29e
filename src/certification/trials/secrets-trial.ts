import type { Attempt, BrokerAdapter } from '../../contracts/broker.js';
import type { MarketDataAdapter } from '../../contracts/market-data.js';
import { VenueKitError } from '../../core/errors.js';
import { Trial, type TrialGround, textOf } from './trial.js';

/** Where a secret came out that the venue's errors held. */
export interface SecretsResult {
  /** Outputs that hold it: `log`, `event <name>`, `notification`, `metrics`, `metric store`, `orders`, `journal`, `alerts`, `error`. */
  readonly leaks: readonly string[];
  /** Texts that were searched. */
  readonly searched: number;
  /** Times that the secret was put before the kit. */
  readonly offered: number;
}

const RUN_MS = 45_000;

/**
 * A venue whose SDK puts signed URLs and headers into its errors, as some do: what it holds must come
 * out nowhere.
 */
export async function runSecrets(ground: TrialGround): Promise<SecretsResult> {
  const canary = `canary${ground.seed}x7Qd2`;
  let offered = 0;
  let isLeaking = false;
  const leaky = (broker: BrokerAdapter & MarketDataAdapter): BrokerAdapter & MarketDataAdapter => {
    const fail = (): never => {
      offered++;
      throw new VenueKitError('SDK', `request to https://venue/api?symbol=X&apiKey=${canary}&signature=${canary} failed; X-MBX-APIKEY: ${canary}`);
    };
    const { place, find, fetch } = broker;
    let calls = 0;
    return {
      ...broker,
      place: async (...args: Parameters<BrokerAdapter['place']>) => (isLeaking && calls++ % 2 === 0 ? fail() : place(...args)),
      find: async (ref, attempt: Attempt) => (isLeaking && calls++ % 3 === 0 ? fail() : find(ref, attempt)),
      fetch: async (kind, requests, attempt) => (isLeaking ? fail() : fetch(kind, requests, attempt)),
    };
  };
  const trial = await Trial.start(ground, { between: leaky });
  const texts: { readonly where: string; readonly text: string }[] = [];
  const keep = (where: string, value: unknown): void => {
    texts.push({ where, text: typeof value === 'string' ? value : textOf(value) });
  };
  const hearing = new AbortController();
  const heard = (async () => {
    for await (const { type, payload } of trial.bus.events(hearing.signal)) keep(`event ${type}`, payload);
  })().catch(() => {});
  isLeaking = true;
  const { kit } = trial;
  for (let number = 0; number * 1_000 < RUN_MS; number++) {
    const onError = (error: unknown): void => keep('error', error);
    kit.trading
      ?.submit({ intentId: `secret-${number}`, symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '0.0100' }, { deadlineMs: 5_000 })
      .catch(onError);
    kit.marketData?.get('quote', { symbol: 'ETH/USDT' }, { maxAgeMs: 100, deadlineMs: 3_000 }).catch(onError);
    await trial.advance(1_000);
  }
  isLeaking = false;
  await trial.advance(10_000);
  keep('metrics', kit.metrics.exposition());
  keep('metric store', await trial.store.series?.());
  keep('alerts', kit.alerts.instances());
  for (const order of kit.trading?.orders() ?? []) {
    keep('orders', order);
    keep('journal', await trial.journal.byIntent(order.intent.intentId ?? ''));
  }
  await trial[Symbol.asyncDispose]();
  hearing.abort();
  await heard;
  for (const line of trial.logged) keep('log', line);
  for (const { group } of trial.told) keep('notification', group);
  return { leaks: [...new Set(texts.filter(({ text }) => text.includes(canary)).map(({ where }) => where))], searched: texts.length, offered };
}
