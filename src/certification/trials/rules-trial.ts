import type { OrderIntent } from '../../contracts/orders.js';
import { asError } from '../../core/errors.js';
import { Trial, type TrialGround } from './trial.js';

/** What is promised of single orders, halts and leases, tried one by one. */
export interface RulesResult {
  /** Venue orders of an intent that was submitted 20 times at once and 3 times later. */
  readonly ordersOfOneIntent: number;
  /** What became of another payload under the same id. */
  readonly otherPayload: string;
  /** Venue orders that appeared while trading was halted. */
  readonly placedWhileHalted: number;
  /** Whether the next kit on the same journal was halted, too; `not tried` where the halt did not hold before, or no next kit could start. */
  readonly haltAfterRestart: 'held' | 'forgotten' | 'not tried';
  /** Whether a cancel passed during the halt. */
  readonly cancelledWhileHalted: boolean;
  /** What a second kit on the same journal met. */
  readonly secondWriter: string;
  /** Whether an order that somebody else placed was seen by the reconciliation at the start. */
  readonly isExternalSeen: boolean;
}

const START_MS = 60_000;
const market = { symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '0.0100' } as const;

export async function runRules(ground: TrialGround): Promise<RulesResult> {
  await using first = await Trial.start(ground);
  const { kit, venue } = first;
  const trading = kit.trading!;
  const one = { ...market, intentId: 'once' };
  const submitted = (intent: OrderIntent & { readonly intentId: string }): Promise<string> =>
    first.settle(trading.submit(intent, { deadlineMs: 20_000 })).then(
      ({ state }) => state,
      (error: unknown) => (error as { readonly code?: string }).code ?? asError(error).message,
    );
  await Promise.all(Array.from({ length: 20 }, () => submitted({ ...one })));
  for (let i = 0; i < 3; i++) await submitted({ ...one });
  const ordersOfOneIntent = venue.orders().length;
  const otherPayload = await submitted({ ...one, qty: '0.0200' });

  const resting = await first.settle(trading.submit({ ...market, intentId: 'resting', type: 'limit', price: '50000.00' }));
  await first.settle(trading.halt('halted', 'the trial halts'));
  const before = venue.orders().length;
  await submitted({ ...market, intentId: 'while halted' });
  const cancelled = await first.settle(trading.cancel(resting.intent.intentId, { deadlineMs: 20_000 })).then(
    ({ state }) => state === 'canceled',
    () => false,
  );
  await first.advance(5_000);
  const placedWhileHalted = venue.orders().length - before;

  const secondWriter = await Trial.start(ground, { after: first }).then(
    async (second) => {
      await second[Symbol.asyncDispose]();
      return 'it was let in';
    },
    (error: unknown) => (error as { readonly code?: string }).code ?? asError(error).message,
  );
  await first.settle(kit.close());
  const restarted = await afterRestart(ground, first, placedWhileHalted === 0);
  return {
    ordersOfOneIntent,
    otherPayload,
    placedWhileHalted,
    cancelledWhileHalted: cancelled,
    secondWriter,
    ...restarted,
  };
}

/** The next kit on the journal, with an order on the account that it did not make. */
async function afterRestart(
  ground: TrialGround,
  first: Trial,
  wasHalted: boolean,
): Promise<Pick<RulesResult, 'haltAfterRestart' | 'isExternalSeen'>> {
  const { venue } = first;
  venue.placeExternal({ ...market, intentId: 'by hand', type: 'limit', price: '40000.00' });
  await using next = await Trial.make(ground, { after: first });
  const externals = next.collect('order.external');
  try {
    await next.settle(next.kit.start(), START_MS);
  } catch {
    return { haltAfterRestart: 'not tried', isExternalSeen: false };
  }
  const before = venue.orders().length;
  await next.settle(next.kit.trading!.submit({ ...market, intentId: 'after the restart' }, { deadlineMs: 10_000 }).catch(() => {}));
  await next.advance(5_000);
  const isHeld = venue.orders().length === before;
  return { haltAfterRestart: wasHalted ? (isHeld ? 'held' : 'forgotten') : 'not tried', isExternalSeen: externals.length > 0 };
}
