import { expect, it } from 'vitest';
import type { AlertRule } from '../../../src/alerts/index.js';
import { givenAnEngine, tickOf } from '../alerts/given-an-engine.js';
import { eventsOf, givenDashboard } from './given-dashboard.js';

const rule: AlertRule = { id: 'errors', severity: 'critical', summary: 'Calls fail.', type: 'threshold', expr: 'failed', op: '>', fire: 3 };

it('silences in the real engine what a page of its own asks for, and nothing for a page of another', async () => {
  const { engine, store, clock, second } = givenAnEngine();
  engine.add(rule);
  for (let i = 0; i < 3; i++) await second({ 'failed{operation=place}': 9, 'failed{operation=cancel}': 1 });
  const { dashboard, ask } = givenDashboard({
    store,
    alerts: engine,
    clock,
    analytics: { analyze: async () => Promise.reject(new Error('not in this test')) },
  });
  await using _ = dashboard;
  const stream = eventsOf(await ask('events?range=60000'));
  const [open] = (await stream.next()).data.snapshot.strip.alerts;
  expect(open).toMatchObject({ rule: 'errors', labels: 'operation=place', state: 'firing', isSuppressed: false });

  const path = `silence?fingerprint=${encodeURIComponent(open!.fingerprint)}&minutes=30`;
  const host = 'localhost:8080';
  expect((await ask(path, { method: 'POST', headers: { host, origin: 'http://evil.example' } })).status).toBe(403);
  expect(engine.silences()).toEqual([]);
  const answer = await ask(path, { method: 'POST', headers: { host, origin: `http://${host}` } });
  expect(answer.status).toBe(200);
  const { id, until } = (await answer.json()) as { id: string; until: number };
  expect(engine.silences()).toEqual([expect.objectContaining({ id, until, by: 'dashboard', match: { operation: 'place', rule: 'errors' } })]);
  expect(until).toBe(clock.now() + 30 * 60_000);

  // The engine tells nobody of it any more, and the page says so.
  await second({ 'failed{operation=place}': 9, 'failed{operation=cancel}': 1 });
  expect(engine.instances().find(({ rule, state }) => rule === 'errors' && state === 'firing')!.suppressedBy).toEqual([`silence:${id}`]);
  let event = await stream.next();
  while (event.data.snapshot.strip.alerts[0]?.isSuppressed === false) {
    await clock.advance(1_000);
    event = await stream.next();
  }
  expect(event.data.snapshot.strip.alerts[0]).toMatchObject({ rule: 'errors', isSuppressed: true });
  await stream.close();
});

it('shows what the engine had done from its audit, once', async () => {
  const { engine, store, clock, second } = givenAnEngine({ actions: { 'trip-breaker': () => {} } });
  engine.add({ ...rule, actions: [{ do: 'trip-breaker', mode: 'auto' }] });
  for (let i = 0; i < 5; i++) await second({ failed: 9 });
  await engine.settled();
  // The counter rises for the same action: it must not be shown twice.
  const counted = { name: 'venuekit_alert_actions_total', labels: { action: 'trip-breaker', mode: 'auto', ok: 'true' } };
  for (const value of [0, 1]) {
    await clock.advance(1_000);
    await store.append({ ...tickOf(clock.now(), {}), series: [counted], values: Float64Array.of(value) });
  }
  const { dashboard } = givenDashboard({ store, alerts: engine, clock });
  await using _ = dashboard;
  const report = JSON.parse(Buffer.from(await dashboard.render({ format: 'json', from: clock.now() - 60_000, to: clock.now() })).toString()) as {
    charts: { id: string; words: string; actions?: unknown[] }[];
  };
  const alerts = report.charts.find(({ id }) => id === 'alerts')!;
  expect(alerts.actions).toEqual([expect.objectContaining({ action: 'trip-breaker', rule: 'errors', mode: 'auto', outcome: 'done', times: 1 })]);
  expect(alerts.words).toMatch(/1 action done\.$/);
});
