import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { wordsOf } from '../../../src/dashboard/charts/charts.js';
import type { Dashboard } from '../../../src/dashboard/index.js';
import { mergeTick } from '../../../src/dashboard/view/merge.js';
import type { Snapshot } from '../../../src/dashboard/view/snapshot.js';
import { type Desk, givenDesk } from '../../workload/given-desk.js';
import { eventsOf, givenDashboard, type StreamEvent, TOKEN } from './given-dashboard.js';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const calm = { analyze: async () => Promise.reject(new Error('not in this test')) };

/** A desk with ten minutes on record, and a dashboard whose clock goes with the desk's. */
async function givenLive(seconds = 600): Promise<{
  desk: Desk;
  dashboard: Dashboard;
  clock: ManualClock;
  live: (seconds: number) => Promise<void>;
  restart: () => Promise<(path: string, init?: RequestInit) => Promise<Response>>;
  ask: (path: string, init?: RequestInit) => Promise<Response>;
}> {
  const desk = await givenDesk({ seconds });
  open.push(desk);
  const clock = new ManualClock(desk.now());
  const start = () => {
    const given = givenDashboard({ store: desk.store, clock, analytics: calm });
    open.push(given.dashboard);
    return given;
  };
  const { dashboard, ask } = start();
  const live = async (more: number): Promise<void> => {
    for (let i = 0; i < more; i++) {
      await desk.live(1);
      await clock.advance(1_000);
    }
  };
  return {
    desk,
    dashboard,
    clock,
    live,
    ask,
    restart: async () => {
      await dashboard[Symbol.asyncDispose]();
      return start().ask;
    },
  };
}

const valuesOf = ({ charts }: Snapshot) =>
  charts.map(({ id, grid, series, spans }) => ({
    id,
    from: grid.from,
    to: grid.to,
    spans,
    series: [...series].sort((a, b) => (a.name < b.name ? -1 : 1)),
  }));

describe('a live page', () => {
  it('gets a snapshot and then ticks, which come to what a new page gets', async () => {
    const { ask, live } = await givenLive();
    const stream = eventsOf(await ask('events?range=300000'));
    const first = await stream.next();
    expect(first.type).toBe('snapshot');
    let page = first.data.snapshot;
    expect(page.charts).toHaveLength(7);
    for (let i = 0; i < 9; i++) {
      await live(1);
      const { type, data, id } = await stream.next();
      expect(type).toBe('tick');
      expect(Number(id)).toBeGreaterThan(page.at);
      page = mergeTick(page, data.snapshot, data.start);
    }
    // Another view is read anew.
    const other = await eventsOf(await ask('events?range=300000&metric=venuekit_venue_call_seconds%20p95%7B%7D')).next();
    const fresh = other.data.snapshot;
    expect(page.grid).toEqual(fresh.grid);
    expect(valuesOf(page).filter(({ id }) => id !== 'metric')).toEqual(valuesOf(fresh).filter(({ id }) => id !== 'metric'));
    expect(page.charts.map(wordsOf).slice(0, 5)).toEqual(fresh.charts.map(wordsOf).slice(0, 5));
    await stream.close();
  });

  it('sends a tick far smaller than the snapshot, and none of what has not changed', async () => {
    const { ask, live } = await givenLive();
    const stream = eventsOf(await ask('events?range=300000'));
    const first = await stream.next();
    const sizes: number[] = [];
    const empty: boolean[] = [];
    for (let i = 0; i < 8; i++) {
      await live(1);
      const { data } = await stream.next();
      sizes.push(JSON.stringify(data).length);
      empty.push(data.snapshot.charts.length === 0);
    }
    expect(Math.max(...sizes)).toBeLessThan(JSON.stringify(first.data).length / 4);
    // Columns of 2 s: every other tick has nothing new to draw.
    expect(empty.filter(Boolean).length).toBeGreaterThanOrEqual(3);
    expect(empty.filter(Boolean).length).toBeLessThanOrEqual(5);
    await stream.close();
  });

  it('goes on where it was, without a gap, when the server was gone for a while', async () => {
    const { ask, live, restart } = await givenLive();
    const stream = eventsOf(await ask('events?range=300000'));
    let page = (await stream.next()).data.snapshot;
    const lastId = String(page.at);
    await stream.close();
    await live(40);
    const askAgain = await restart();
    const resumed = eventsOf(await askAgain('events?range=300000', { headers: { 'last-event-id': lastId } }));
    const { type, data } = await resumed.next();
    expect(type).toBe('tick');
    page = mergeTick(page, data.snapshot, data.start);
    const fresh = (await eventsOf(await askAgain('events?range=300000')).next()).data.snapshot;
    expect(valuesOf(page)).toEqual(valuesOf(fresh));
    for (const { series } of page.charts.slice(1, 4)) for (const { v } of series) expect(v.slice(-25)).not.toContain(null);
    await resumed.close();
  });

  it('starts anew when it was away for longer than its range', async () => {
    const { ask, live, desk } = await givenLive();
    await live(1);
    const { type } = await eventsOf(await ask('events?range=60000', { headers: { 'last-event-id': String(desk.from) } })).next();
    expect(type).toBe('snapshot');
  });

  it('gets no tick while it is too slow to take one, and then what it missed in one', async () => {
    const { dashboard, live } = await givenLive();
    let isFull = false;
    const written: string[] = [];
    // The node handler, with a response that says when it is full.
    const response = Object.assign(new EventEmitter(), {
      destroyed: false,
      writeHead: () => response,
      flushHeaders: () => {},
      write: (text: string) => written.push(text),
      end: () => {},
      destroy: () => {},
    });
    Object.defineProperty(response, 'writableNeedDrain', { get: () => isFull });
    dashboard.nodeHandler({ method: 'GET', url: `/events?range=300000&token=${TOKEN}`, headers: { host: 'localhost' }, socket: {} }, response);
    await live(2);
    const before = written.length;
    isFull = true;
    await live(20);
    expect(written).toHaveLength(before);
    isFull = false;
    await live(1);
    expect(written).toHaveLength(before + 1);
    const missed = JSON.parse(/^data: (.*)$/m.exec(written.at(-1)!)![1]!) as { snapshot: Snapshot };
    expect(missed.snapshot.grid.columns).toBeGreaterThanOrEqual(10);
    expect(missed.snapshot.grid.columns).toBeLessThan(20);
  });

  it('is told the same before its script runs as over its stream, which then goes on from there', async () => {
    const { ask, live } = await givenLive();
    const first = (await (await ask('snapshot?range=300000')).json()) as StreamEvent['data'];
    const streamed = eventsOf(await ask('events?range=300000'));
    expect((await streamed.next()).data).toEqual(first);
    const stream = eventsOf(await ask(`events?range=300000&after=${first.snapshot.at}`));
    const { type, data } = await stream.next();
    expect(type).toBe('tick');
    expect(valuesOf(mergeTick(first.snapshot, data.snapshot, data.start))).toEqual(valuesOf(first.snapshot));
    await live(1);
    expect((await stream.next()).type).toBe('tick');
    await stream.close();
    await streamed.close();
  });

  it('goes on when the clock is set back by an hour', async () => {
    const { ask, live, clock, desk } = await givenLive(120);
    const stream = eventsOf(await ask('events?range=60000'));
    const { snapshot } = (await stream.next()).data;
    await live(1);
    expect((await stream.next()).type).toBe('tick');
    clock.stepWall(-3_600_000);
    await clock.advance(2_000);
    const event = await stream.next();
    expect(event.type).toBe('snapshot');
    expect(event.data.snapshot.at).toBeLessThan(snapshot.at - 3_500_000);
    // And what comes in from now on is shown as it comes.
    clock.stepWall(3_600_000);
    await live(2);
    let last = await stream.next();
    while (last.data.snapshot.at < desk.now() - 2_000) last = await stream.next();
    expect(last.data.snapshot.charts.find(({ id }) => id === 'throughput')!.series.length).toBeGreaterThan(0);
    await stream.close();
  });

  it('is one of 200 at most; the next one is told to come again, and may when another has gone', async () => {
    const { dashboard, ask } = givenDashboard({ clock: new ManualClock(), analytics: calm });
    open.push(dashboard);
    const pages = await Promise.all(Array.from({ length: 200 }, () => ask('events?range=60000')));
    expect(pages.map(({ status }) => status)).toEqual(Array(200).fill(200));
    const crowded = await ask('events?range=60000');
    expect([crowded.status, crowded.headers.get('retry-after')]).toEqual([503, '10']);
    await pages[0]!.body!.cancel();
    expect((await ask('events?range=60000')).status).toBe(200);
  });

  it('is of 32 views at most that somebody watches; those that nobody does make room', async () => {
    const { dashboard, ask } = givenDashboard({ clock: new ManualClock(), analytics: calm });
    open.push(dashboard);
    const views = Array.from({ length: 32 }, (_, i) => `events?range=${60_000 + i * 1_000}`);
    const pages = await Promise.all(views.map((view) => ask(view)));
    expect((await ask('events?range=600000')).status).toBe(503);
    expect((await ask('snapshot?range=600000')).status).toBe(503);
    await pages[7]!.body!.cancel();
    expect((await ask('events?range=600000')).status).toBe(200);
  });

  it('is one reading for ten pages of the same view', async () => {
    const { desk, clock } = await givenLive();
    let queries = 0;
    const store = {
      query: (query: Parameters<Desk['store']['query']>[0]) => {
        queries++;
        return desk.store.query(query);
      },
    };
    const { ask, dashboard } = givenDashboard({ store: store as never, clock, analytics: calm });
    open.push(dashboard);
    const streams = await Promise.all(Array.from({ length: 10 }, async () => eventsOf(await ask('events?range=300000'))));
    await Promise.all(streams.map((stream) => stream.next()));
    const forOne = queries;
    expect(forOne).toBeLessThan(30);
    await desk.live(2);
    await clock.advance(2_000);
    await Promise.all(streams.map((stream) => stream.next()));
    expect(queries).toBeLessThan(2 * forOne + 10);
    await Promise.all(streams.map((stream) => stream.close()));
  });

  it.each(['', 'range=300000', 'from=FROM.5&to=TO'])('is read while the script of its page is on the way, once: ?%s', async (address) => {
    const { desk, clock } = await givenLive(60);
    let queries = 0;
    const store = {
      query: (query: Parameters<Desk['store']['query']>[0]) => {
        queries++;
        return desk.store.query(query);
      },
    };
    const { ask, dashboard } = givenDashboard({ store: store as never, clock, analytics: calm });
    open.push(dashboard);
    const named = (from: number): string => address.replace('FROM', String(from)).replace('TO', String(desk.now()));
    expect((await ask(`?${named(desk.from)}`)).status).toBe(200);
    // The controls of the page know whole seconds.
    const stream = eventsOf(await ask(`events?${named(desk.from).replace('.5', '')}&metric=venuekit_venue_call_seconds%20p95`));
    expect((await stream.next()).type).toBe('snapshot');
    expect(queries).toBeGreaterThan(10);
    expect(queries).toBeLessThan(30);
    await stream.close();
  });

  it('of a fixed range gets it once', async () => {
    const { ask, desk } = await givenLive();
    const stream = eventsOf(await ask(`events?from=${desk.from}&to=${desk.from + 120_000}`));
    const { data } = await stream.next();
    expect(data.snapshot.grid).toMatchObject({ from: desk.from, stepMs: 1_000 });
    expect(data.snapshot.grid.columns).toBeLessThanOrEqual(121);
    await stream.close();
  });
});
