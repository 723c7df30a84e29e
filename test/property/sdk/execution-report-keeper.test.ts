import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExecutionReportKeeper } from '../../../src/sdk/binance/streams/execution-report-keeper.js';
import type { Json } from '../../../src/sdk/shared/json.js';

const QTY = 10;
const PRICE = 5;
const SYMBOLS = ['BTCUSDT', 'ETHUSDT'] as const;

interface Order {
  readonly id: number;
  readonly symbol: string;
  readonly createdAt: number;
  changedAt: number;
  filled: number;
  status: string;
}

/** A venue in a few lines: orders that fill and end, the reports that it sends, and its listings. */
class Ledger {
  readonly orders: Order[] = [];
  /** All that it ever sent, as it happened. */
  readonly sent: Json[] = [];
  readonly trades: { order: Order; id: number; qty: number; at: number }[] = [];
  now = 1_700_000_000_000;
  #executions = 0;

  place(): Json {
    const order = {
      id: this.orders.length + 1,
      symbol: SYMBOLS[this.orders.length % 2] as string,
      createdAt: ++this.now,
      changedAt: this.now,
      filled: 0,
      status: 'NEW',
    };
    this.orders.push(order);
    return this.#report(order, 'NEW');
  }

  fill(n: number, qty: number): Json | undefined {
    const order = this.#open(n);
    if (order === undefined) return undefined;
    const traded = Math.min(qty, QTY - order.filled);
    order.filled += traded;
    order.changedAt = ++this.now;
    order.status = order.filled === QTY ? 'FILLED' : 'PARTIALLY_FILLED';
    this.trades.push({ order, id: this.trades.length + 1, qty: traded, at: this.now });
    return this.#report(order, 'TRADE', this.trades.length, traded);
  }

  cancel(n: number): Json | undefined {
    const order = this.#open(n);
    if (order === undefined) return undefined;
    order.changedAt = ++this.now;
    order.status = 'CANCELED';
    return this.#report(order, 'CANCELED');
  }

  read(path: string, { symbol, orderId, startTime }: Readonly<Record<string, unknown>>): unknown {
    const of = this.orders.filter((order) => symbol === undefined || order.symbol === symbol);
    const isOpen = ({ status }: Order): boolean => status === 'NEW' || status === 'PARTIALLY_FILLED';
    if (path.endsWith('/openOrders')) return of.filter(isOpen).map(row);
    if (path.endsWith('/allOrders')) return of.filter(({ createdAt }) => createdAt >= Number(startTime)).map(row);
    if (path.endsWith('/order')) return row(of.find(({ id }) => id === Number(orderId)) as Order);
    return this.trades
      .filter(({ order }) => order.symbol === symbol && order.id === Number(orderId))
      .map(({ id, qty, at }) => ({
        id,
        price: `${PRICE}.00000000`,
        qty: `${qty}.00000000`,
        quoteQty: `${qty * PRICE}.00000000`,
        commission: '0.1',
        commissionAsset: 'BNB',
        time: at,
        isMaker: true,
      }));
  }

  #open(n: number): Order | undefined {
    const order = this.orders[n % Math.max(1, this.orders.length)];
    return order === undefined || order.status === 'FILLED' || order.status === 'CANCELED' ? undefined : order;
  }

  #report(order: Order, what: string, trade = -1, qty = 0): Json {
    const report = {
      ...{ e: 'executionReport', E: this.now, T: this.now, I: ++this.#executions, O: order.createdAt, W: order.createdAt },
      ...{ s: order.symbol, i: order.id, c: `c-${order.id}`, C: '', S: 'BUY', o: 'LIMIT', f: 'GTC', q: `${QTY}.00000000`, p: '5.00000000' },
      ...{
        x: what,
        X: order.status,
        t: trade,
        l: `${qty}.00000000`,
        L: what === 'TRADE' ? '5.00000000' : '0.00000000',
        Y: `${qty * PRICE}.00000000`,
      },
      ...{ z: `${order.filled}.00000000`, Z: `${order.filled * PRICE}.00000000` },
    };
    this.sent.push(report);
    return report;
  }
}

function row({ id, symbol, createdAt, changedAt, filled, status }: Order): Json {
  return {
    ...{ symbol, orderId: id, orderListId: -1, clientOrderId: `c-${id}`, price: '5.00000000', origQty: `${QTY}.00000000`, status },
    ...{ executedQty: `${filled}.00000000`, cummulativeQuoteQty: `${filled * PRICE}.00000000`, timeInForce: 'GTC', type: 'LIMIT' },
    ...{ side: 'BUY', time: createdAt, updateTime: changedAt },
  };
}

/** What an event tells, whoever told it. */
const shown = ({ s, i, x, X, t, l, L, z, Z, q }: Json): string => [s, i, x, X, t, l, L, z, Z, q].map(String).join(' ');

function given(ledger: Ledger) {
  const told: Json[] = [];
  let recovering: Promise<void> = Promise.resolve();
  const keeper = new ExecutionReportKeeper({
    read: (path, params) => Promise.resolve({ json: ledger.read(path, params), at: ledger.now }),
    deliver: (event) => told.push(event),
    markets: () => SYMBOLS,
    onGap: () => {
      recovering = keeper.recover();
    },
    sleep: () => Promise.resolve(),
  });
  return { told, keeper, recovered: () => recovering };
}

/** What the ledger sent from its n-th report on, and what was told, each order by itself: nothing is promised of the sequence among several. */
function expectWhole(ledger: Ledger, told: readonly Json[], from: number): void {
  for (const { id } of ledger.orders) {
    const of = (reports: readonly Json[]): string[] => reports.filter(({ i }) => i === id).map(shown);
    expect(of(told)).toEqual(of(ledger.sent.slice(from)));
  }
}

const step = fc.record({
  what: fc.constantFrom('place' as const, 'fill' as const, 'fill' as const, 'fill' as const, 'cancel' as const),
  order: fc.integer({ min: 0, max: 5 }),
  qty: fc.integer({ min: 1, max: 6 }),
  delivery: fc.constantFrom('told' as const, 'told' as const, 'twice' as const, 'late' as const, 'cut' as const),
});

describe('a keeper of execution reports', () => {
  it('has told what the venue sent, each once and every order’s in its sequence, whatever was lost, came twice or out of turn', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 8 }),
        fc.array(fc.array(step, { maxLength: 10 }), { minLength: 1, maxLength: 4 }),
        async (before, rounds) => {
          const ledger = new Ledger();
          const act = ({ what, order, qty }: (typeof before)[number]): Json | undefined =>
            what === 'place' ? ledger.place() : what === 'cancel' ? ledger.cancel(order) : ledger.fill(order, qty);
          for (const one of before) act(one);
          ledger.now++;
          const { told, keeper, recovered } = given(ledger);
          const from = ledger.sent.length;
          await keeper.recover();
          for (const round of rounds) {
            let isDown = false;
            let late: Json | undefined;
            const send = (report: Json): void => {
              keeper.take(report);
              if (late !== undefined) keeper.take(late);
              late = undefined;
            };
            for (const one of round) {
              const report = act(one);
              if (report === undefined) continue;
              // What is lost, is lost with the connection.
              if (one.delivery === 'cut' && !isDown) {
                isDown = true;
                late = undefined;
                keeper.lose();
              }
              if (isDown) continue;
              if (one.delivery === 'late' && late === undefined) late = report;
              else send(report);
              if (one.delivery === 'twice') keeper.take(report);
            }
            if (late !== undefined) keeper.take(late);
            await recovered();
            if (isDown) await keeper.recover();
          }
          expectWhole(ledger, told, from);
        },
      ),
      { numRuns: 400 },
    );
  });
});
