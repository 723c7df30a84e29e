import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { MemoryMetricStore } from '../../../src/metrics/index.js';
import { givenDesk } from '../../workload/given-desk.js';
import { eventsOf, givenDashboard } from './given-dashboard.js';

const PAGES = 10;
const RANGE_MS = 60_000;
const notAnalysed = { analyze: async () => Promise.reject(new Error('not in this test')) };

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

/** What a promise gives within some turns of the event loop, which all that is buffered does. */
async function soon<T>(promise: Promise<T>): Promise<T | undefined> {
  let value: T | undefined;
  void promise.then((given) => {
    value = given;
  });
  for (let turn = 0; turn < 20 && value === undefined; turn++) await new Promise((resolve) => setImmediate(resolve));
  return value;
}

// The same for ten minutes, with a real Chromium and a bot's own process: npm run soak.
it('serves ten pages tick by tick without growing, drops slow ones to the ticks that they take, and gives up one that takes none', async () => {
  const store = new MemoryMetricStore();
  await using desk = await givenDesk({ store, seconds: 120, isCalm: true });
  const clock = new ManualClock(desk.now());
  const { dashboard, ask } = givenDashboard({ store, clock, analytics: notAnalysed });
  await using _ = dashboard;
  const pages = await Promise.all(Array.from({ length: PAGES }, async () => eventsOf(await ask(`events?range=${RANGE_MS}`))));
  for (const page of pages) expect((await page.next()).type).toBe('snapshot');

  /** Seconds of the bot's life; what is older than two minutes goes, so that the store does not grow either. */
  const live = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i++) {
      await desk.live(1);
      await clock.advance(1_000);
      for (const page of pages) expect((await page.next()).type).toBe('tick');
      if (i % 20 === 0) await store.retain({ rawMs: 120_000, minuteMs: 120_000, hourMs: 120_000 });
    }
  };
  await live(60);
  const before = heapAfterCollection();

  const sipping = eventsOf(await ask(`events?range=${RANGE_MS}`));
  const first = await sipping.next();
  expect(first.type).toBe('snapshot');
  const nothing = (await ask(`events?range=${RANGE_MS}`)).body!.getReader();
  await live(40);

  // One that was away for a while takes what had fitted before it was full; after that, in one tick, all that it missed.
  let at = Number(first.id);
  let fitted = 0;
  let next = sipping.next();
  for (let event = await soon(next); event !== undefined; event = await soon(next)) {
    expect(event.type).toBe('tick');
    at = Number(event.id);
    fitted++;
    next = sipping.next();
  }
  expect(fitted).toBeLessThan(40);
  const missedSeconds = (clock.now() - at) / 1_000;
  await live(1);
  const missed = await next;
  expect(missed.type).toBe('tick');
  expect(missed.data.snapshot.grid.columns).toBeGreaterThan(missedSeconds);
  expect(missed.data.snapshot.grid.columns).toBeLessThan(missedSeconds + 5);
  await sipping.close();

  // One that has taken nothing for a minute: what waits for it is no more than what fits, and its stream is over.
  await live(100);
  let waited = 0;
  for (let chunk = await nothing.read(); !chunk.done; chunk = await nothing.read()) waited += chunk.value.byteLength;
  expect(waited).toBeLessThan(200_000);
  expect(heapAfterCollection() - before).toBeLessThan(2_000_000);
  await Promise.all(pages.map((page) => page.close()));
});
