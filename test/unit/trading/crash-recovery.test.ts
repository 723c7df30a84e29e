import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../src/contracts/broker.js';
import type { OrderJournal, WriterLease } from '../../../src/contracts/journal.js';
import { TradingError } from '../../../src/contracts/trading-error.js';
import type { ManualClock } from '../../../src/core/manual-clock.js';
import { MemoryOrderJournal } from '../../../src/stores/memory/memory-order-journal.js';
import { ResilientTradingClient } from '../../../src/trading/resilient-trading-client.js';
import { Life, mortalAdapter, mortalClock, mortalJournal } from '../../simulation/mortality.js';
import { aMarketOrder, aRestingOrder, givenAClient, givenAStartedClient, settle } from './given-trading.js';

/** A journal that can be made to fail, like a full disk. */
function aFailingJournal(journal: OrderJournal, trouble: { isFull: boolean; isWritten: boolean }): OrderJournal {
  return new Proxy(journal, {
    get(target, name) {
      if (name !== 'append') {
        const member = Reflect.get(target, name) as unknown;
        return typeof member === 'function' ? member.bind(target) : member;
      }
      return async (records: Parameters<OrderJournal['append']>[0]) => {
        if (trouble.isWritten || !trouble.isFull) await target.append(records);
        if (trouble.isFull) throw new Error('ENOSPC: no space left on device');
      };
    },
  });
}

describe('recovery', () => {
  it('finds after a kill what was being sent, and sends no second one', async () => {
    const given = givenAClient();
    const { clock, venue, journal, broker, makeClient } = given;
    const life = new Life();
    const untroubled = { kill: 0, fail: 0, slow: 0 };
    const first = new ResilientTradingClient({
      adapter: mortalAdapter(broker, life, clock, {
        onPlace() {},
        onCall() {},
        onObserved() {},
        onTwice() {},
        onKill() {},
        fate: () => ({ kind: 'kill_after' }),
      }),
      journal: mortalJournal(journal, { life, clock, random: () => 0.5, trouble: untroubled, onDurable() {}, onKill() {}, onLease() {} }),
      clock: mortalClock(clock, life),
    });
    await settle(clock, first.start());
    void first.place(aMarketOrder({ intentId: 'a' }));
    await clock.advance(6_000);
    expect(life.isOver).toBe(true);
    const next = makeClient();
    const report = await settle(clock, next.start());
    expect(report.resolved.map(({ state }) => state)).toEqual(['filled']);
    expect((await settle(clock, next.submit(aMarketOrder({ intentId: 'a' })))).state).toBe('filled');
    expect(venue.orders()).toHaveLength(1);
  });

  it('reads from where the first run began when that never read a listing to its end (simulation seed 500004)', async () => {
    const sinces: number[] = [];
    let isBroken = true;
    const given = givenAClient({
      adapter: (broker) =>
        new Proxy(broker, {
          get(target, name) {
            const member = Reflect.get(target, name) as unknown;
            if (name !== 'history' && name !== 'fills') return typeof member === 'function' ? member.bind(target) : member;
            return (since: number, attempt: Attempt) => {
              if (name === 'history') sinces.push(since);
              else if (isBroken) throw new Error('503');
              return target[name](since, attempt);
            };
          },
        }),
    });
    const { clock, client, makeClient } = given;
    await settle(clock, client.start());
    const order = await settle(clock, client.place(aRestingOrder()));
    await settle(clock, order.cancel());
    await settle(clock, client.close());
    // Over and settled; should it have filled after all, only a listing from before that can show it.
    const canceledAt = clock.now();
    await clock.advance(600_000);
    isBroken = false;
    sinces.length = 0;
    await settle(clock, makeClient().start());
    expect(sinces[0]).toBeLessThan(canceledAt);
  });

  it('is refused while another process holds the account, and gets it after that has closed', async () => {
    const { clock, client, makeClient } = await givenAStartedClient();
    const second = makeClient();
    await expect(settle(clock, second.start())).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
    await settle(clock, client.close());
    await settle(clock, second.start());
    expect((await settle(clock, second.submit(aRestingOrder()))).state).toBe('working');
  });

  it('stops sending when another process has taken over', async () => {
    let isTaken = false;
    const { clock, client, venue } = await givenAStartedClient({
      journal: (clock) => {
        const journal = new MemoryOrderJournal({ clock });
        const { acquire } = journal;
        journal.acquire = async (account, owner, ttlMs) => {
          const lease = await acquire.call(journal, account, owner, ttlMs);
          const renew = async (): Promise<void> => {
            if (isTaken) throw new TradingError('JOURNAL_LOCKED', 'Another process holds the account.');
            await lease.renew();
          };
          return { epoch: lease.epoch, lost: lease.lost, renew, release: () => lease.release(), [Symbol.asyncDispose]: () => lease.release() };
        };
        return journal;
      },
    });
    isTaken = true;
    // A jump of the wall clock means that this process may have stood still: it must ask before it sends.
    clock.stepWall(60_000);
    await settle(
      clock,
      client.place(aMarketOrder()).catch(() => {}),
    );
    await clock.advance(1_000);
    expect(venue.orders()).toHaveLength(0);
    await expect(client.place(aMarketOrder())).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
  });

  it('tells a placement that was on its way that the lease is lost, not that somebody closed the client', async () => {
    const lost = new AbortController();
    let answer = (): void => {};
    const { clock, client, venue } = await givenAStartedClient({
      journal: (clock) => {
        const journal = new MemoryOrderJournal({ clock });
        const { acquire, byIntent } = journal;
        journal.acquire = async (...args) => Object.create(await acquire.apply(journal, args), { lost: { value: lost.signal } }) as WriterLease;
        journal.byIntent = async (intentId) => {
          await new Promise<void>((resolve) => {
            answer = resolve;
          });
          return byIntent.call(journal, intentId);
        };
        return journal;
      },
    });
    const placed = client.place(aMarketOrder()).catch((error: unknown) => error);
    await clock.advance(10);
    lost.abort(new TradingError('JOURNAL_LOCKED', 'Another process holds the account.'));
    answer();
    expect(await settle(clock, placed)).toMatchObject({ code: 'JOURNAL_LOCKED', message: expect.stringMatching(/lease is lost/) });
    expect(venue.orders()).toHaveLength(0);
  });

  it('abandons what it had not sent before a restart', async () => {
    const { clock, client, makeClient, venue } = await givenAStartedClient({
      venue: { limits: [{ id: 'orders', scope: 'account', kind: 'window', units: 2, perMs: 60_000 }] },
      policy: { reserve: 0 },
    });
    for (let i = 0; i < 2; i++) await settle(clock, client.submit(aRestingOrder()));
    const waiting = await settle(clock, client.place(aRestingOrder({ intentId: 'waits' })));
    expect(waiting.view.state).toBe('prepared');
    await settle(clock, client.close());
    const next = makeClient();
    await settle(clock, next.start());
    expect((await settle(clock, next.submit(aRestingOrder({ intentId: 'waits' })))).state).toBe('abandoned');
    expect(venue.orders()).toHaveLength(2);
  });

  it('sends nothing while the disk is full, says so, and goes on when it is not', async () => {
    for (const isWritten of [false, true]) {
      const trouble = { isFull: false, isWritten };
      const { clock, client, venue } = await givenAStartedClient({ journal: (clock) => aFailingJournal(new MemoryOrderJournal({ clock }), trouble) });
      trouble.isFull = true;
      await expect(settle(clock, client.place(aMarketOrder({ intentId: 'a' })))).rejects.toMatchObject({
        code: 'JOURNAL',
        sent: 'no',
        retryable: true,
      });
      await clock.advance(1_000);
      expect(venue.orders()).toHaveLength(0);
      trouble.isFull = false;
      expect((await settle(clock, client.submit(aMarketOrder({ intentId: 'a' })))).state).toBe('filled');
      expect(venue.orders()).toHaveLength(1);
    }
  });

  it('cancels even while the disk is full', async () => {
    const trouble = { isFull: false, isWritten: false };
    const { clock, client } = await givenAStartedClient({ journal: (clock) => aFailingJournal(new MemoryOrderJournal({ clock }), trouble) });
    const handle = await settle(clock, client.place(aRestingOrder()));
    await settle(clock, handle.acked());
    trouble.isFull = true;
    expect((await settle(clock, handle.cancel())).state).toBe('canceled');
  });

  it('a cancel of an order that never became durable does not keep the journal from being read', async () => {
    const { clock, journal, makeClient } = givenAClient();
    const lease = await journal.acquire('main', 'test', 1_000);
    await journal.append([{ account: 'main', intentId: 'half', at: 1, epoch: lease.epoch, type: 'cancel', body: { reason: 'halt' } }]);
    await lease.release();
    const client = makeClient();
    expect((await settle(clock, client.start())).unresolved).toEqual([]);
  });

  it('keeps a cancel that was asked for while the outcome was unknown over a crash', async () => {
    const { clock, client, makeClient, venue } = await givenAStartedClient({ policy: { timeoutMs: 500 } });
    venue.fault({ operation: 'place', when: 'after', kind: 'drop', times: 1 });
    const reads = (['find', 'openOrders', 'history', 'events'] as const).map((operation) =>
      operation === 'events'
        ? venue.fault({ operation, when: 'before', kind: 'stream_drop' })
        : venue.fault({ operation, when: 'before', kind: 'reset' }),
    );
    const handle = await settle(clock, client.place(aRestingOrder({ intentId: 'a' })));
    await clock.advance(1_000);
    expect(handle.view.state).toBe('unknown');
    void handle.cancel().catch(() => {});
    await clock.advance(100);
    for (const fault of reads) fault[Symbol.dispose]();
    await settle(clock, client.close());
    const next = makeClient();
    await settle(clock, next.start());
    expect((await settle(clock, next.order('a')!.done())).state).toBe('canceled');
    expect(venue.orders().map(({ state }) => state)).toEqual(['canceled']);
  });

  it('does not say that listings need not be read again before what they showed is durable (simulation seed 1100763)', async () => {
    const trouble = { isFull: false, isWritten: false };
    const kept: string[] = [];
    const journal = (clock: ManualClock): OrderJournal => {
      const failing = aFailingJournal(new MemoryOrderJournal({ clock }), trouble);
      return new Proxy(failing, {
        get(target, name) {
          const member = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
          if (name !== 'append' && name !== 'setCursor') return member;
          return async (...args: unknown[]) => {
            await member(...args);
            if (name === 'setCursor') kept.push('cursor');
            else for (const { type } of args[0] as readonly { readonly type: string }[]) kept.push(type);
          };
        },
      });
    };
    const { clock, client, venue } = await givenAStartedClient({ journal });
    await settle(clock, client.submit(aRestingOrder({ intentId: 'a' })));
    await clock.advance(10_000);
    kept.length = 0;
    trouble.isFull = true;
    venue.fill(client.order('a')!.view.venueOrderIds[0]!);
    await clock.advance(1_000);
    await settle(clock, client.reconcile());
    expect(client.order('a')!.view.state).toBe('filled');
    expect(kept).toEqual([]);
    trouble.isFull = false;
    await clock.advance(10_000);
    await settle(clock, client.reconcile());
    expect(kept).toContain('cursor');
    expect(kept.indexOf('cursor')).toBeGreaterThan(kept.findIndex((type) => /fill/.test(type)));
    expect(kept.some((type) => /fill/.test(type))).toBe(true);
  });
});
