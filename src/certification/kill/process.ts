import { writeSync } from 'node:fs';
import type { OrderHandle, OrderIntent, OrderState, OrderView } from '../../contracts/orders.js';
import type { TradingPolicy } from '../../contracts/trading-policy.js';
import { systemClock } from '../../core/clock.js';
import { asError } from '../../core/errors.js';
import { redactText } from '../../core/logger.js';
import { seededRandom } from '../../core/random.js';
import type { ResilientTradingClient } from '../../trading/index.js';
import { type KitModule, loadCreateKit } from '../kit-module.js';
import { connectBroker } from './venue-line.js';

/** What a full pipe is waited for on. */
const pause = new Int32Array(new SharedArrayBuffer(4));

/** What the process is told on its command line, as JSON. */
export interface KillTask {
  readonly port: number;
  /** Absent where the host's kit keeps nothing on a disk. */
  readonly dataDir?: string;
  readonly create?: KitModule;
  readonly policy?: TradingPolicy;
  readonly seed: number;
  /** `trade` until killed; `settle`: start, wait until every order is over, and tell of each. */
  readonly mode: 'trade' | 'settle';
  /** Numbers of intents that earlier lives placed: placed again, they must give the same orders. */
  readonly again: readonly number[];
  /** Number of the first new intent. */
  readonly first: number;
}

/** What the last life tells of one order. */
export type ToldOrder = Pick<OrderView, 'state' | 'clientOrderId' | 'filledQty'> & { readonly number: number };

const AT_ONCE = 4;
const SETTLE_MS = 60_000;
const POLL_MS = 20;
const LATE_FILLS_MS = 1_200;
/** Intents are at the market: those that the venue has end by themselves. */
const OVER: ReadonlySet<OrderState> = new Set(['filled', 'canceled', 'expired', 'rejected', 'abandoned', 'escalated']);

/** The same number gives the same intent in every life. */
function intentOf(seed: number, number: number): OrderIntent & { readonly intentId: string } {
  const random = seededRandom(seed * 1_000_003 + number);
  const side = random() < 0.5 ? 'buy' : 'sell';
  const qty = (0.001 * (1 + Math.floor(random() * 20))).toFixed(3);
  return { intentId: `kill-${number}`, symbol: 'BTC/USDT', side, type: 'market', qty };
}

/** Synchronously: the parent must hear it even when the next instruction is never reached. */
function tell(line: string): void {
  // Whole and before anything else happens: a kill must find said what was done. A full pipe is written to again.
  let rest = Buffer.from(`${line}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

async function trade(trading: ResilientTradingClient, { seed, again, first }: KillTask): Promise<never> {
  let next = first;
  const place = async (number: number): Promise<OrderHandle> => {
    const handle = await trading.place(intentOf(seed, number));
    tell(`durable ${number}`);
    return handle;
  };
  const worker = async (): Promise<never> => {
    for (;;) await (await place(next++)).acked();
  };
  await Promise.all([...again.map(place), ...Array.from({ length: AT_ONCE }, worker)]);
  throw new Error('unreachable');
}

async function settle(trading: ResilientTradingClient, { seed, again }: KillTask): Promise<void> {
  const handles = await Promise.all(again.map(async (number) => ({ number, handle: await trading.place(intentOf(seed, number)) })));
  const until = systemClock.monotonic() + SETTLE_MS;
  const isUnderWay = (): boolean => handles.some(({ handle }) => !OVER.has(handle.view.state));
  while (isUnderWay() && systemClock.monotonic() < until) await systemClock.sleep(POLL_MS);
  await systemClock.sleep(LATE_FILLS_MS);
  await trading.reconcile();
  for (const { number, handle } of handles) {
    const { state, clientOrderId, filledQty } = handle.view;
    tell(`order ${JSON.stringify({ number, state, clientOrderId, filledQty } satisfies ToldOrder)}`);
  }
}

async function main(task: KillTask): Promise<void> {
  tell('alive');
  const create = await loadCreateKit(task.create);
  using broker = await connectBroker(task.port);
  await using kit = await create({
    broker,
    ...(task.dataDir === undefined ? {} : { dataDir: task.dataDir }),
    ...(task.policy === undefined ? {} : { policy: task.policy }),
  });
  await kit.start();
  tell('started');
  await (task.mode === 'trade' ? trade(kit.trading!, task) : settle(kit.trading!, task));
}

main(JSON.parse(process.argv[2] ?? '') as KillTask).then(
  () => process.exit(0),
  (error: unknown) => {
    tell(`failed ${redactText(asError(error).message).replaceAll('\n', ' ')}`);
    process.exit(1);
  },
);
