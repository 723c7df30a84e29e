import { describe, expect, it } from 'vitest';
import { type AlertRule, alertmanagerNotifier, slackNotifier, verifyWebhook, webhookNotifier } from '../../../src/alerts/index.js';
import type { AlertGroup, AlertInstance, Notifier } from '../../../src/contracts/alerts.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { givenAnEngine, settle, T0 } from './given-an-engine.js';

const above = (id: string, fire: number, more: object = {}): AlertRule =>
  ({ id, severity: 'warning', summary: `${id} is wrong.`, type: 'threshold', expr: 'x', op: '>', fire, ...more }) as AlertRule;

const givenANotifier = (more: Partial<Notifier> = {}) => {
  const told: string[] = [];
  const notifier: Notifier = {
    name: 'desk',
    notify: async ({ status, alerts }) => void told.push(`${status} ${alerts.map(({ rule, labels }) => `${rule}${labels.op ?? ''}`).join(' ')}`),
    ...more,
  };
  return { notifier, told };
};

describe('people', () => {
  it('are told together of the alerts of one rule, of each change once, and again after a time', async () => {
    const { notifier, told } = givenANotifier();
    const { second, engine } = givenAnEngine({ rules: [above('r', 5), above('s', 8)], notifiers: [notifier], repeatMs: 5_000 });
    await second({ 'x{op=a}': 9, 'x{op=b}': 6 });
    await second({ 'x{op=a}': 9, 'x{op=b}': 6 });
    await engine.settled();
    expect(told).toEqual(['firing ra rb', 'firing sa']);
    for (let i = 0; i < 4; i++) await second({ 'x{op=a}': 9, 'x{op=b}': 1 });
    await engine.settled();
    expect(told).toEqual(['firing ra rb', 'firing sa', 'resolved rb', 'firing ra', 'firing sa']);
  });

  it('are not told while a silence holds, and are when it ends', async () => {
    const { notifier, told } = givenANotifier();
    const { second, engine } = givenAnEngine({ rules: [above('r', 5)], notifiers: [notifier] });
    const id = engine.silence({ match: { rule: 'r', op: 'a' }, until: T0 + 3_000, by: 'anna', comment: 'maintenance' });
    expect(engine.silences()).toMatchObject([{ id, by: 'anna' }]);
    await second({ 'x{op=a}': 6, 'x{op=b}': 6 });
    await engine.settled();
    expect(told).toEqual(['firing rb']);
    expect(engine.instances()[0]!.suppressedBy).toEqual([`silence:${id}`]);
    await second({ 'x{op=a}': 6, 'x{op=b}': 6 });
    await second({ 'x{op=a}': 6, 'x{op=b}': 6 });
    await engine.settled();
    expect(told).toEqual(['firing rb', 'firing ra']);
    expect(engine.unsilence('none')).toBe(false);
  });

  it.each([
    [{ match: {}, until: T0 + 1, by: 'a', comment: 'b' }, /match must name one label at least/],
    [{ match: { a: 'b' }, until: T0, by: 'a', comment: 'b' }, /until must be a finite time after now/],
    [{ match: { a: 'b' }, until: Infinity, by: 'a', comment: 'b' }, /until must be a finite time after now/],
    [{ match: { a: 1 }, until: T0 + 1, by: 'a', comment: 'b' }, /match\.a must be a string, got 1/],
    [{ match: { a: 'b' }, until: T0 + 1, by: '', comment: 'b' }, /by must be a non-empty string/],
  ])('can not be silenced by %j', (silence, message) => {
    expect(() => givenAnEngine().engine.silence(silence as never)).toThrow(message);
  });

  it('are not told of what a raised alert speaks for, where labels do not contradict it', async () => {
    const { notifier, told } = givenANotifier();
    const stale = above('stale', 50, { expr: 'age', inhibits: ['slow'] });
    const { second, engine } = givenAnEngine({ rules: [stale, above('slow', 5)], notifiers: [notifier] });
    await second({ 'age{feed=v/quote}': 60, 'x{venue=v}': 6, 'x{venue=w}': 6 });
    await engine.settled();
    expect(told).toEqual(['firing stale', 'firing slow']);
    expect(engine.instances().map(({ labels, suppressedBy }) => [labels.venue, suppressedBy])).toEqual([
      [undefined, []],
      ['v', ['inhibited:stale']],
      ['w', []],
    ]);
  });

  it('are told by those who group and inhibit themselves of everything', async () => {
    const { notifier, told } = givenANotifier({ wantsSuppressed: true, resendMs: 2_000 });
    const { second, engine } = givenAnEngine({ rules: [above('a', 5, { inhibits: ['b'] }), above('b', 5)], notifiers: [notifier] });
    for (let i = 0; i < 3; i++) {
      await second({ x: 6 });
      await engine.settled();
    }
    expect(told).toEqual(['firing a b', 'firing a b']);
  });
});

describe('a notifier', () => {
  it('that hangs holds up nothing, is given up after its time, tried again, said once and counted', async () => {
    let attempts = 0;
    const hanging: Notifier = {
      name: 'hanging',
      notify: () => {
        attempts++;
        return new Promise(() => {});
      },
    };
    const { notifier, told } = givenANotifier();
    const { second, engine, clock, logger, bus } = givenAnEngine({
      rules: [above('r', 5)],
      notifiers: [hanging, notifier],
      notifyTimeoutMs: 1_000,
      notifyAttempts: 2,
    });
    const sent: [string, boolean][] = [];
    bus.on('alert.notification', ({ notifier: name, ok }) => sent.push([name, ok]));
    for (let i = 0; i < 5; i++) await second({ x: 6 });
    expect(told).toEqual(['firing r']);
    await clock.advance(120_000);
    expect(attempts).toBeGreaterThanOrEqual(3);
    expect(logger.lines.filter(({ message }) => message?.includes('failed'))).toHaveLength(1);
    expect(sent.slice(0, 2)).toEqual([
      ['desk', true],
      ['hanging', false],
    ]);
    await engine.close();
  });

  it('that works again is told the state as it is then, and no more of what came and went', async () => {
    let isDown = true;
    const told: string[] = [];
    const flaky: Notifier = {
      name: 'flaky',
      notify: async ({ status }) => {
        if (isDown) throw new Error('down');
        told.push(status);
      },
    };
    const { second, engine, clock } = givenAnEngine({ rules: [above('r', 5)], notifiers: [flaky] });
    await second({ x: 6 });
    await second({ x: 1 });
    isDown = false;
    await clock.advance(30_000);
    await engine.settled();
    expect(told).toEqual(['resolved']);
  });

  it('is handed no more groups a minute than it may be', async () => {
    const { notifier, told } = givenANotifier();
    const { second, engine, clock } = givenAnEngine({ rules: [above('r', 5)], notifiers: [notifier], maxNotificationsPerMinute: 2 });
    for (let i = 0; i < 10; i++) await second({ x: i % 2 === 0 ? 6 : 1 });
    expect(told).toHaveLength(2);
    await clock.advance(60_000);
    await engine.settled();
    expect(told.length).toBeLessThanOrEqual(4);
  });

  it('must have a name of its own', () => {
    const { notifier } = givenANotifier();
    expect(() => givenAnEngine({ notifiers: [notifier, notifier] })).toThrow('notifiers must differ in name, got "desk" twice');
    expect(() => givenAnEngine({ notifiers: [{ name: '', notify: async () => {} }] })).toThrow(/notifiers\[0\]\.name must be a non-empty string/);
  });
});

const alert: AlertInstance = {
  fingerprint: '00ff',
  rule: 'error-rate',
  severity: 'critical',
  labels: { operation: 'place', venue: '<!channel> & co' },
  state: 'firing',
  value: 0.31,
  firedAt: T0,
  suppressedBy: [],
  summary: 'More than 20 % fail.',
  runbook: 'https://wiki/runbook',
};
const firing: AlertGroup = { status: 'firing', alerts: [alert] };
const resolved: AlertGroup = { status: 'resolved', alerts: [{ ...alert, state: 'inactive', resolvedAt: T0 + 60_000 }] };
const never = new AbortController().signal;

/** A fetch that remembers, and answers as told. */
const givenAFetch = (status = 200) => {
  const sent: { url: string; headers: Record<string, string>; body: string }[] = [];
  const fetch = async (url: string, init: RequestInit) => {
    sent.push({ url, headers: init.headers as Record<string, string>, body: String(init.body) });
    return new Response('the answer repeats s3cr3t', { status });
  };
  return { sent, fetch };
};

describe('webhookNotifier', () => {
  it('posts what Alertmanager would, with a signature that its receiver can check', async () => {
    const { sent, fetch } = givenAFetch();
    const clock = new ManualClock(T0);
    await webhookNotifier({ url: 'https://example.test/hook', secret: 's3cr3t', clock, fetch }).notify(firing, never);
    const { headers, body } = sent[0]!;
    expect(JSON.parse(body)).toMatchObject({
      version: '4',
      status: 'firing',
      groupLabels: { alertname: 'error-rate' },
      alerts: [
        {
          status: 'firing',
          fingerprint: '00ff',
          labels: { alertname: 'error-rate', severity: 'critical', operation: 'place' },
          startsAt: new Date(T0).toISOString(),
        },
      ],
    });
    const message = { body, timestamp: headers['x-venuekit-timestamp']!, signature: headers['x-venuekit-signature']! };
    expect(await verifyWebhook(message, 's3cr3t', { clock })).toBe(true);
    expect(await verifyWebhook({ ...message, body: `${body} ` }, 's3cr3t', { clock })).toBe(false);
    expect(await verifyWebhook(message, 'another', { clock })).toBe(false);
    await clock.advance(600_000);
    expect(await verifyWebhook(message, 's3cr3t', { clock })).toBe(false);
  });

  it('says when it was over', async () => {
    const { sent, fetch } = givenAFetch();
    await webhookNotifier({ url: 'https://example.test/hook', fetch }).notify(resolved, never);
    expect(JSON.parse(sent[0]!.body)).toMatchObject({ status: 'resolved', alerts: [{ endsAt: new Date(T0 + 60_000).toISOString() }] });
    expect(sent[0]!.headers).not.toHaveProperty('x-venuekit-signature');
  });
});

describe('slackNotifier', () => {
  it('lets no label become a mention or a link', async () => {
    const { sent, fetch } = givenAFetch();
    await slackNotifier({ url: 'https://hooks.example.test/T0/B0/k3y', fetch }).notify(firing, never);
    expect(JSON.parse(sent[0]!.body)).toMatchObject({ text: '[FIRING: 1] error-rate', attachments: [{ title: 'error-rate (critical)' }] });
    expect(sent[0]!.body).toContain('&lt;!channel&gt; &amp; co');
  });
});

describe('alertmanagerNotifier', () => {
  it('posts alerts that end by themselves well after the next post', async () => {
    const { sent, fetch } = givenAFetch();
    const clock = new ManualClock(T0 + 1_000);
    const notifier = alertmanagerNotifier({ url: 'http://127.0.0.1:9093/', clock, fetch });
    await notifier.notify(firing, never);
    expect(sent[0]!.url).toBe('http://127.0.0.1:9093/api/v2/alerts');
    expect(JSON.parse(sent[0]!.body)).toMatchObject([{ startsAt: new Date(T0).toISOString(), endsAt: new Date(T0 + 241_000).toISOString() }]);
    expect(notifier.resendMs).toBe(60_000);
  });
});

describe('secrets', () => {
  it.each([
    ['webhook', (url: string, fetch: never) => webhookNotifier({ url, secret: 's3cr3t', fetch })],
    ['slack', (url: string, fetch: never) => slackNotifier({ url, fetch })],
    ['alertmanager', (url: string, fetch: never) => alertmanagerNotifier({ url, fetch })],
  ])('of %s are in no error, event or line of a log', async (_, make) => {
    const answers: (() => Promise<unknown>)[] = [
      async () => new Response('the answer repeats s3cr3t', { status: 403 }),
      () =>
        Promise.reject(
          new TypeError('fetch of https://hooks.test/k3y-s3cr3t failed', {
            cause: Object.assign(new Error('connect https://hooks.test/k3y-s3cr3t'), { code: 'ECONNREFUSED' }),
          }),
        ),
    ];
    const fetch = async () => answers.shift()!();
    const { second, clock, logger, bus, engine } = givenAnEngine({
      rules: [above('r', 5)],
      notifiers: [make('https://hooks.test/k3y-s3cr3t', fetch as never)],
      notifyAttempts: 2,
    });
    const events: unknown[] = [];
    bus.on('alert.notification', (event) => events.push(event));
    await second({ x: 6 });
    // Signing is done by a thread of the platform, in its own time.
    while (events.length === 0) {
      await clock.advance(100);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(events).toMatchObject([{ ok: false, attempts: 2 }]);
    const said = JSON.stringify(logger.lines, (_key, value: unknown) =>
      value instanceof Error ? { m: value.message, s: value.stack, c: value.cause } : value,
    );
    expect(said).toMatch(/HTTP 403/);
    expect(said + JSON.stringify(events)).not.toMatch(/s3cr3t|k3y/);
    await engine.close();
  });

  it('are not repeated where they can not be meant', () => {
    expect(() => slackNotifier({ url: 'hooks.test/k3y' })).toThrow(/url must be an absolute http or https URL; its value is not shown/);
    expect(() => webhookNotifier({ url: 'https://a.test', secret: '' })).toThrow(/secret must be a non-empty string; its value is not shown/);
  });

  it('of a host are cut out of what its own notifier throws', async () => {
    const leaking: Notifier = { name: 'leaking', notify: () => Promise.reject(new Error('POST /x?token=abc123 failed')) };
    const { second, logger } = givenAnEngine({ rules: [above('r', 5)], notifiers: [leaking] });
    await second({ x: 6 });
    await settle();
    expect(logger.lines.length).toBeGreaterThan(0);
    expect(JSON.stringify(logger.lines)).not.toContain('abc123');
  });
});
