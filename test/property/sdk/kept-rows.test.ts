import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventBus, type VenueKitEvents } from '../../../src/contracts/events.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import type { RecoveryBounds } from '../../../src/sdk/shared/resilient-options.js';
import { KeptRows } from '../../../src/sdk/shared/streams/kept-rows.js';
import { StreamRecovery } from '../../../src/sdk/shared/streams/stream-recovery.js';
import type { RowOrder } from '../../../src/sdk/shared/streams/told-rows.js';

interface Row {
  readonly id: number;
  readonly at: number;
}

const common = { keyOf: ({ id }: Row) => String(id), timeOf: ({ at }: Row) => at };
const BY_TIME: RowOrder<Row> = { ...common, placeOf: ({ at }) => at, overlap: 5_000, isDense: false };
const BY_NUMBER: RowOrder<Row> = { ...common, placeOf: ({ id }) => id, overlap: 0, isDense: true };
const LAG_MS = 2_000;

/** A market in a few lines: rows that happen, a list that shows them late, and a stream that loses, doubles, swaps and holds up. */
class HostileMarket {
  readonly clock = new ManualClock();
  readonly rows: Row[] = [];
  readonly told: Row[] = [];
  readonly recoveries: VenueKitEvents['stream.recovered'][] = [];
  readonly warnings: string[] = [];
  readonly kept: KeptRows<Row>;
  isDown = false;
  listLagMs = 0;
  readMs = 20;
  failures = 0;
  reads = 0;
  #held: Row[] = [];
  readonly #order: RowOrder<Row>;

  constructor(order: RowOrder<Row>, bounds: Partial<RecoveryBounds> = {}) {
    this.#order = order;
    const bus = new EventBus<VenueKitEvents>();
    bus.on('stream.recovered', (recovered) => this.recoveries.push(recovered));
    const quiet = (): void => {};
    const logger = { debug: quiet, info: quiet, error: quiet, warn: (_: unknown, message: string) => void this.warnings.push(message) };
    const session = { bus, logger, clock: this.clock };
    const recovery = new StreamRecovery('v', session, { maxAgeMs: 3_600_000, maxRows: 1_000, ...bounds }, new AbortController().signal);
    const parts = {
      order,
      recovery,
      channel: 'trades',
      symbol: 'S',
      lagMs: LAG_MS,
      list: { read: (from: number, most: number) => this.#read(from, most) },
      tell: (row: Row) => this.told.push(row),
    };
    this.kept = new KeptRows(parts, order.isDense ? undefined : this.clock.now());
  }

  happen(): Row {
    const row = { id: this.rows.length + 1, at: this.clock.now() };
    this.rows.push(row);
    return row;
  }

  send(row: Row, how: 'once' | 'twice' | 'late'): void {
    if (this.isDown) return;
    if (how === 'late') {
      this.#held.push(row);
      return;
    }
    for (let copy = 0; copy < (how === 'twice' ? 2 : 1); copy++) this.kept.take(row);
    this.letGo();
  }

  letGo(): void {
    const held = this.#held;
    this.#held = [];
    if (!this.isDown) for (const row of held) this.kept.take(row);
  }

  drop(): void {
    this.isDown = true;
    this.#held = [];
    this.kept.interrupt();
  }

  resume(): void {
    this.isDown = false;
    void this.kept.resume();
  }

  async #read(from: number, most: number): Promise<readonly Row[]> {
    this.reads++;
    await this.clock.sleep(this.readMs);
    if (this.failures > 0) {
      this.failures--;
      throw new Error('503');
    }
    return this.rows.filter((row) => this.#order.placeOf(row) >= from && row.at <= this.clock.now() - this.listLagMs).slice(-most);
  }
}

const step = fc.record({
  what: fc.constantFrom(
    'row' as const,
    'row' as const,
    'row' as const,
    'twice' as const,
    'late' as const,
    'lost' as const,
    'drop' as const,
    'resume' as const,
  ),
  // Of a stall, all that comes is late.
  ms: fc.constantFrom(0, 1, 7, 100, 900, 1_900, 4_000),
});

async function run(market: HostileMarket, steps: readonly { readonly what: string; readonly ms: number }[], mayLose: boolean): Promise<void> {
  market.send(market.happen(), 'once');
  for (const { what, ms } of steps) {
    await market.clock.advance(ms);
    if (what === 'drop') market.drop();
    else if (what === 'resume') {
      if (market.isDown) market.resume();
    } else {
      const row = market.happen();
      if (what === 'lost' && mayLose) continue;
      market.send(row, what === 'twice' ? 'twice' : what === 'late' ? 'late' : 'once');
    }
  }
  if (market.isDown) market.resume();
  market.letGo();
  await market.clock.advance(12_000);
  // What is lost last shows with what comes next.
  market.send(market.happen(), 'once');
  await market.clock.advance(12_000);
}

describe('rows of a stream that is kept', () => {
  it.each([
    ['by time, through drops, duplicates, swaps and stalls', BY_TIME, false],
    ['by number, through lost messages, too', BY_NUMBER, true],
  ] as const)('are told each once and none is missing, %s', async (_, order, mayLose) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.constantFrom(0, 300, 1_500),
        fc.constantFrom(20, 3_000),
        async (steps, listLagMs, readMs) => {
          const market = new HostileMarket(order);
          market.listLagMs = listLagMs;
          market.readMs = readMs;
          await run(market, steps, mayLose);
          const told = market.told.map(({ id }) => id);
          expect(new Set(told).size).toBe(told.length);
          expect([...told].sort((a, b) => a - b)).toEqual(market.rows.map(({ id }) => id));
          if (order.isDense) expect(told).toEqual(market.rows.map(({ id }) => id));
          expect(market.recoveries.every(({ isWhole }) => isWhole)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    ['by time', BY_TIME],
    ['by number', BY_NUMBER],
  ] as const)('are the newest where more was missed than may be read, and that is said, %s', async (_, order) => {
    const market = new HostileMarket(order, { maxRows: 5 });
    market.send(market.happen(), 'once');
    await market.clock.advance(6_000);
    market.drop();
    for (let n = 0; n < 20; n++) {
      market.happen();
      await market.clock.advance(10);
    }
    market.resume();
    market.send(market.happen(), 'once');
    await market.clock.advance(12_000);
    expect(market.told.map(({ id }) => id)).toEqual([1, 18, 19, 20, 21, 22]);
    expect(market.recoveries).toEqual([{ venue: 'v', channel: 'trades', symbol: 'S', rows: 4, isWhole: false }]);
    expect(market.warnings).toEqual([expect.stringMatching(/left out/)]);
  });

  it('are none of what is older than may be read', async () => {
    const market = new HostileMarket(BY_TIME, { maxAgeMs: 30_000 });
    market.send(market.happen(), 'once');
    await market.clock.advance(10_000);
    market.drop();
    market.happen();
    await market.clock.advance(40_000);
    market.happen();
    market.resume();
    await market.clock.advance(12_000);
    expect(market.told.map(({ id }) => id)).toEqual([1, 3]);
    expect(market.recoveries).toMatchObject([{ rows: 1, isWhole: false }]);
  });

  it.each([
    ['by time', BY_TIME],
    ['by number', BY_NUMBER],
  ] as const)('go on where the list can not be read, and that is said, %s', async (_, order) => {
    const market = new HostileMarket(order);
    market.failures = Infinity;
    market.send(market.happen(), 'once');
    await market.clock.advance(6_000);
    market.drop();
    market.happen();
    market.resume();
    market.send(market.happen(), 'once');
    await market.clock.advance(12_000);
    market.send(market.happen(), 'once');
    expect(market.told.map(({ id }) => id)).toEqual([1, 3, 4]);
    expect(market.recoveries).toMatchObject([{ rows: 0, isWhole: false }]);
    expect(market.warnings[0]).toMatch(/could not be read/);
  });

  it('are not held back for longer than ten seconds by a list that never answers', async () => {
    const market = new HostileMarket(BY_NUMBER);
    market.listLagMs = 3_600_000;
    market.send(market.happen(), 'once');
    market.happen();
    market.send(market.happen(), 'once');
    await market.clock.advance(9_900);
    expect(market.told.map(({ id }) => id)).toEqual([1]);
    await market.clock.advance(200);
    expect(market.told.map(({ id }) => id)).toEqual([1, 3]);
    expect(market.recoveries).toMatchObject([{ rows: 0, isWhole: false }]);
  });

  it('are read once where the stream has told one that the list has, too', async () => {
    const market = new HostileMarket(BY_TIME);
    market.send(market.happen(), 'once');
    await market.clock.advance(6_000);
    market.drop();
    market.happen();
    market.resume();
    market.send(market.happen(), 'once');
    await market.clock.advance(20);
    expect(market.told.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(market.reads).toBe(1);
  });

  it('are told once where they were held for longer than what was told is remembered', async () => {
    const market = new HostileMarket({ ...BY_TIME, overlap: 500 });
    market.send(market.happen(), 'once');
    await market.clock.advance(600);
    market.drop();
    market.happen();
    market.resume();
    for (let n = 0; n < 3; n++) {
      await market.clock.advance(600);
      market.send(market.happen(), 'once');
    }
    await market.clock.advance(12_000);
    expect(market.told.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
  });
});
