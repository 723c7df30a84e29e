import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TradeUpdateKeeper } from '../../../src/sdk/alpaca/streams/trade-update-keeper.js';
import type { WireRequest } from '../../../src/sdk/alpaca/wire.js';
import type { Json } from '../../../src/sdk/shared/json.js';

interface Step {
  readonly order: number;
  readonly what: 'fill' | 'cancel';
  readonly qty: number;
  readonly delivery: 'told' | 'lost' | 'twice';
}

const QTY = 10;
const at = (tick: number): string => new Date(1_700_000_000_000 + tick).toISOString();

/** A venue in a few lines: orders that fill and end, the updates that it sends, and its lists. */
class Ledger {
  readonly orders = new Map<string, Record<string, unknown>>();
  readonly fills: Json[] = [];
  #tick = 0;

  place(n: number): Json {
    const id = `o-${n}`;
    const order = {
      id,
      qty: String(QTY),
      filled_qty: '0',
      filled_avg_price: null,
      status: 'new',
      submitted_at: at(++this.#tick),
      updated_at: at(this.#tick),
    };
    this.orders.set(id, order);
    return { event: 'new', timestamp: at(this.#tick), order: { ...order }, execution_id: `e-${this.#tick}` };
  }

  act({ order: n, what, qty }: Step): Json | undefined {
    const order = this.orders.get(`o-${n}`)!;
    const filled = Number(order.filled_qty);
    if (order.status === 'filled' || order.status === 'canceled') return undefined;
    const time = at(++this.#tick);
    order.updated_at = time;
    const execution = { timestamp: time, execution_id: `e-${this.#tick}` };
    if (what === 'cancel') {
      order.status = 'canceled';
      return { event: 'canceled', order: { ...order }, ...execution };
    }
    const now = Math.min(QTY, filled + qty);
    Object.assign(order, { filled_qty: String(now), filled_avg_price: '5', status: now === QTY ? 'filled' : 'partially_filled' });
    const event = now === QTY ? 'fill' : 'partial_fill';
    this.fills.push({
      id: `t::e-${this.#tick}`,
      order_id: order.id,
      cum_qty: String(now),
      qty: String(now - filled),
      price: '5',
      type: event,
      transaction_time: time,
    });
    return { event, order: { ...order }, qty: String(now - filled), price: '5', ...execution };
  }

  read({ path, query }: WireRequest): unknown {
    if (path === '/v2/orders')
      return [...this.orders.values()].filter(({ submitted_at }) => String(submitted_at) > String(query?.after)).map((order) => ({ ...order }));
    if (path.startsWith('/v2/orders/')) return { ...this.orders.get(path.slice('/v2/orders/'.length)) };
    return query?.page_token === undefined
      ? this.fills.filter(({ transaction_time }) => String(transaction_time) > String(query?.after)).slice(0, 99)
      : [];
  }
}

const step = fc.record({
  order: fc.integer({ min: 0, max: 3 }),
  what: fc.constantFrom('fill' as const, 'fill' as const, 'cancel' as const),
  qty: fc.integer({ min: 1, max: 6 }),
  delivery: fc.constantFrom('told' as const, 'lost' as const, 'lost' as const, 'twice' as const),
});

describe('a keeper of trade updates', () => {
  it('has told every fill and every end once, whatever was lost or came twice, once it has recovered', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { maxLength: 8 }), { minLength: 1, maxLength: 4 }),
        fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        async (rounds, toldNew) => {
          const ledger = new Ledger();
          const told: Json[] = [];
          const keeper = new TradeUpdateKeeper({
            read: (request) => Promise.resolve(ledger.read(request)),
            deliver: (update) => told.push(update),
            now: () => 1_700_000_000_000,
            sleep: () => Promise.resolve(),
          });
          const over = (update: Json | undefined, delivery: Step['delivery']): void => {
            if (update === undefined || delivery === 'lost') return;
            for (let copy = 0; copy < (delivery === 'twice' ? 2 : 1); copy++) if (keeper.take(update)) told.push(update);
          };
          for (let n = 0; n < 4; n++) over(ledger.place(n), toldNew[n] === true ? 'told' : 'lost');
          await keeper.recover();
          for (const round of rounds) {
            // What is lost, is lost with the connection: after it nothing comes until the next one.
            let isDown = false;
            for (const one of round) {
              isDown ||= one.delivery === 'lost';
              over(ledger.act(one), isDown ? 'lost' : one.delivery);
            }
            await keeper.recover();
          }
          for (const order of ledger.orders.values()) {
            const own = told.filter((update) => (update.order as Json).id === order.id);
            const filled = own.reduce((sum, { qty }) => sum + Number(qty ?? 0), 0);
            expect(filled).toBe(Number(order.filled_qty));
            expect(own.filter(({ event }) => event === 'new')).toHaveLength(1);
            expect(own.filter(({ event }) => event === 'canceled')).toHaveLength(order.status === 'canceled' ? 1 : 0);
            expect(own.filter(({ event }) => event === 'fill')).toHaveLength(order.status === 'filled' ? 1 : 0);
            const totals = own.flatMap(({ qty, order: shown }) => (qty === undefined ? [] : [Number((shown as Json).filled_qty)]));
            expect(totals).toEqual([...totals].sort((a, b) => a - b));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('tells of a fill by the order’s own figures where the list of fills never shows it', async () => {
    const ledger = new Ledger();
    ledger.place(1);
    ledger.act({ order: 1, what: 'fill', qty: 10, delivery: 'lost' });
    ledger.fills.length = 0;
    const told: Json[] = [];
    let slept = 0;
    const keeper = new TradeUpdateKeeper({
      read: (request) => Promise.resolve(ledger.read(request)),
      deliver: (update) => told.push(update),
      now: () => 1_700_000_000_000,
      sleep: () => Promise.resolve(void slept++),
    });
    await keeper.recover();
    expect(told.map(({ event, qty, price, recovered }) => [event, qty, price, recovered])).toEqual([
      ['new', undefined, undefined, true],
      ['fill', '10', '5', true],
    ]);
    expect(slept).toBe(2);
  });
});
