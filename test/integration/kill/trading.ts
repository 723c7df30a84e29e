import { writeSync } from 'node:fs';
import type { OrderHandle, OrderIntent, OrderState } from '../../../src/contracts/orders.js';
import { seededRandom } from '../../../src/core/random.js';
import type { ResilientTradingClient } from '../../../src/trading/resilient-trading-client.js';

/** Which orders a bot process places. */
export interface TradeTask {
  readonly seed: number;
  /** Numbers of intents that earlier processes placed: placed again, they must give the same orders. */
  readonly again: readonly number[];
  /** Number of the first new intent. */
  readonly first: number;
  /** Orders at once. @defaultValue 6 */
  readonly atOnce?: number;
}

const AT_ONCE = 6;
const SETTLE_MS = 60_000;
const IN_DOUBT: ReadonlySet<OrderState> = new Set(['prepared', 'sending', 'unknown', 'pending_cancel', 'pending_replace']);
const OVER: ReadonlySet<OrderState> = new Set(['filled', 'canceled', 'expired', 'rejected', 'abandoned', 'escalated']);

/** The same number gives the same intent in every process. */
function intentOf(seed: number, number: number): OrderIntent & { readonly intentId: string } {
  const random = seededRandom(seed * 1_000_003 + number);
  const side = random() < 0.5 ? 'buy' : 'sell';
  const qty = (0.001 * (1 + Math.floor(random() * 20))).toFixed(3);
  const common = { intentId: `intent-${number}`, symbol: 'BTC/USDT', side, qty } as const;
  if (random() < 0.6) return { ...common, type: 'market' };
  // Half of the limit orders rest far from the market, until they are cancelled.
  const offset = Math.floor(random() * 2_000) - 1_000;
  return { ...common, type: 'limit', price: String(50_000 + offset) };
}

/** Tells the parent, which must hear it even when the next instruction is never reached. */
export function tell(line: string): void {
  writeSync(1, `${line}\n`);
}

/** Places orders until it is killed or fails. */
export async function trade(client: ResilientTradingClient, { seed, again, first, atOnce = AT_ONCE }: TradeTask): Promise<void> {
  let next = first;
  const random = seededRandom(seed + first);
  const place = async (number: number): Promise<OrderHandle> => {
    const handle = await client.place(intentOf(seed, number));
    tell(`durable ${number}`);
    return handle;
  };
  const worker = async (): Promise<void> => {
    for (;;) {
      const view = await (await place(next++)).acked();
      if (view.state === 'working' && random() < 0.7) await client.cancel(view.intent.intentId);
    }
  };
  await Promise.all([...again.map(place), ...Array.from({ length: atOnce }, worker)]);
}

/** Waits until nothing is in doubt and cancels what is live. */
export async function settle(client: ResilientTradingClient): Promise<void> {
  await waitUntil(client, (state) => !IN_DOUBT.has(state));
  const live = client.orders({ state: ['working', 'partially_filled'] });
  await Promise.all(live.map(({ intent }) => client.cancel(intent.intentId)));
  await waitUntil(client, (state) => OVER.has(state));
  // The venue may fill an order for another second after it confirmed its cancel.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await client.reconcile();
  await waitUntil(client, (state) => OVER.has(state));
}

async function waitUntil(client: ResilientTradingClient, holds: (state: OrderState) => boolean): Promise<void> {
  const until = performance.now() + SETTLE_MS;
  for (;;) {
    const pending = client.orders().filter(({ state }) => !holds(state));
    if (pending.length === 0) return;
    if (performance.now() > until) throw new Error(`${pending.length} orders did not settle: ${JSON.stringify(pending.slice(0, 3))}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
