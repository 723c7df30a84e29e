import { describe, expect, it } from 'vitest';
import { createDashboard } from '../../../src/dashboard/index.js';
import { MemoryMetricStore } from '../../../src/metrics/index.js';
import { givenAlert } from '../../workload/given-desk.js';
import { givenDashboard, TOKEN } from './given-dashboard.js';

const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'";

describe('who may see a dashboard', () => {
  it('answers 401 without the token, with a wrong one, and with the right one in the wrong place, on every route', async () => {
    const { dashboard } = givenDashboard();
    for (const path of ['', 'page.js', 'events', 'series', 'report?format=json', 'silence', 'nothing']) {
      for (const [headers, query] of [
        [{}, ''],
        [{ authorization: 'Bearer wrong' }, ''],
        [{ cookie: `venuekit_dashboard=${TOKEN}` }, ''],
        [{}, 'token=wrong'],
        [{}, `Token=${TOKEN}`],
      ] as const) {
        const url = `http://localhost/${path}${path.includes('?') ? '&' : '?'}${query}`;
        const response = await dashboard.fetchHandler(new Request(url, { headers }));
        expect(response.status, `${url} ${JSON.stringify(headers)}`).toBe(401);
        expect(await response.text()).not.toContain(TOKEN);
        expect(response.headers.get('set-cookie')).toBeNull();
      }
    }
  });

  it('moves the token from the query into a cookie that scripts and other sites do not get', async () => {
    const { dashboard } = givenDashboard();
    const first = await dashboard.fetchHandler(new Request(`http://127.0.0.1:9/?token=${TOKEN}`));
    expect(first.status).toBe(200);
    const cookie = first.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/; HttpOnly(;|$)/);
    expect(cookie).toMatch(/; SameSite=Strict(;|$)/);
    expect(await first.text()).not.toContain(TOKEN);
    const next = await dashboard.fetchHandler(new Request('http://127.0.0.1:9/', { headers: { cookie: `other=1; ${cookie.split(';')[0]!}` } }));
    expect(next.status).toBe(200);
  });

  it('lets two dashboards on one host keep their cookies apart', async () => {
    const cookies = await Promise.all(
      ['first-token-of-the-two', 'second-token-of-the-two'].map(async (token) => {
        const { dashboard } = givenDashboard({ token });
        const response = await dashboard.fetchHandler(new Request(`http://localhost/?token=${token}`));
        return response.headers.get('set-cookie')!.split('=')[0];
      }),
    );
    expect(cookies[0]).not.toBe(cookies[1]);
  });

  it.each(['evil.example', 'evil.example:8080', 'localhost.evil.example', '10.0.0.7', 'localhost@evil.example', ''])(
    'answers 421 to the name %j, also with the token',
    async (host) => {
      const { dashboard } = givenDashboard();
      const response = await dashboard.fetchHandler(new Request('http://localhost/', { headers: { host, authorization: `Bearer ${TOKEN}` } }));
      expect(response.status).toBe(421);
    },
  );

  it.each(['localhost', 'LOCALHOST:3000', '127.0.0.1:81', '[::1]:3000'])('answers to the name %j', async (host) => {
    const { ask } = givenDashboard();
    expect((await ask('', { headers: { host } })).status).toBe(200);
  });

  it('answers to the names that it was given', async () => {
    const { ask } = givenDashboard({ hosts: ['desk.internal'] });
    expect((await ask('', { headers: { host: 'desk.internal:443' } })).status).toBe(200);
    expect((await ask('', { headers: { host: 'other.internal' } })).status).toBe(421);
  });

  it('sends the policy that forbids all but its own files, with every answer', async () => {
    const { ask, dashboard } = givenDashboard();
    const answers = [
      await ask(''),
      await ask('nothing.js'),
      await dashboard.fetchHandler(new Request('http://localhost/')),
      await ask('', { headers: { host: 'evil.example' } }),
    ];
    for (const { headers } of answers) {
      expect(headers.get('content-security-policy')).toBe(CSP);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
  });

  it('has a page without a script, a style or a handler in it, that asks for relative addresses only', async () => {
    const { ask } = givenDashboard({ title: '</title><script>alert(1)</script>' });
    const html = await (await ask('')).text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/);
    expect(html).not.toMatch(/<style|\sstyle=|\son[a-z]+=/);
    expect(html).not.toContain('<script>alert');
    const addresses = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address!);
    expect(addresses.length).toBeGreaterThan(5);
    for (const address of addresses) expect(address).toMatch(/^(page\.(js|css)|canvas\.js|snapshot\?|report\?|#|data:image\/svg)/);
  });

  it('has a token of 256 random bits where none was given', () => {
    const [a, b] = [createDashboard({ store: new MemoryMetricStore() }), createDashboard({ store: new MemoryMetricStore() })];
    expect(Buffer.from(a.token, 'base64url')).toHaveLength(32);
    expect(a.token).not.toBe(b.token);
  });
});

describe('what is asked for in a way that nobody means', () => {
  it.each([
    ['https:2130706433', './https:2130706433/?x=1'],
    ['javascript:alert(1)', './javascript:alert(1)/?x=1'],
    ['a%E0%A4', './a%E0%A4/?x=1'],
    ['desk', './desk/?x=1'],
  ])('sends the mount %j to itself with a slash, never to what its name looks like', async (path, location) => {
    const { ask } = givenDashboard();
    const response = await ask(`${path}?x=1`);
    expect(response.status).toBe(308);
    expect(response.headers.get('location')).toBe(location);
    expect(new URL(location, 'https://desk.internal/').host).toBe('desk.internal');
  });

  it.each(['snapshot?metric=a{b="\\q"}', 'snapshot?metric=a{b="%0A"}', 'snapshot?metric=%00', 'events?range=1e400', 'report?format=constructor'])(
    'answers 400, not 500, to %j',
    async (path) => {
      const { ask } = givenDashboard();
      expect((await ask(path)).status).toBe(400);
    },
  );

  it.each(['constructor', '__proto__', 'toString', '..%2f..%2fpackage.json', '%2e%2e/%2e%2e/package.json', '..\\..\\package.json'])(
    'finds nothing at %j',
    async (path) => {
      const { ask } = givenDashboard();
      const response = await ask(path, { redirect: 'manual' });
      expect([404, 308]).toContain(response.status);
      expect(await response.text()).not.toContain('venuekit');
    },
  );

  it.each(['OPTIONS', 'PUT', 'DELETE', 'PATCH'])('answers 405 to %s, and allows no other site anything', async (method) => {
    const { ask } = givenDashboard();
    for (const path of ['', 'events', 'silence']) {
      const response = await ask(path, { method, headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' } });
      expect(response.status).toBe(405);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('answers HEAD as GET, without a body and without keeping a stream', async () => {
    const { ask } = givenDashboard();
    for (const path of ['', 'events', 'series', 'snapshot']) {
      const response = await ask(path, { method: 'HEAD' });
      expect(response.status, path).toBe(200);
      expect(await response.text()).toBe('');
    }
  });
});

describe('who may silence an alert', () => {
  const silenced: unknown[] = [];
  const alerts = {
    instances: () => [givenAlert({ fingerprint: 'f7', rule: 'error-rate', labels: { operation: 'place' } })],
    silence: (silence: unknown) => {
      silenced.push(silence);
      return 's1';
    },
  };
  const own = { origin: 'http://localhost:8080', host: 'localhost:8080' };

  it('takes a POST from its own page', async () => {
    const { ask } = givenDashboard({ alerts });
    const response = await ask('silence?fingerprint=f7&minutes=30', { method: 'POST', headers: own });
    expect(response.status).toBe(200);
    expect(silenced).toEqual([expect.objectContaining({ match: { rule: 'error-rate', operation: 'place' }, by: 'dashboard' })]);
  });

  it.each([
    ['no origin', { host: 'localhost:8080' }],
    ['another site', { ...own, origin: 'https://evil.example' }],
    ['another port of this machine', { ...own, origin: 'http://localhost:3000' }],
    ['an opaque origin', { ...own, origin: 'null' }],
    ['a browser that says cross-site', { ...own, 'sec-fetch-site': 'cross-site' }],
  ])('refuses a POST from %s', async (_, headers) => {
    silenced.length = 0;
    const { ask } = givenDashboard({ alerts });
    expect((await ask('silence?fingerprint=f7', { method: 'POST', headers: headers as Record<string, string> })).status).toBe(403);
    expect(silenced).toEqual([]);
  });

  it('refuses to change anything by GET', async () => {
    silenced.length = 0;
    const { ask } = givenDashboard({ alerts });
    const response = await ask('silence?fingerprint=f7', { headers: own });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
    expect(silenced).toEqual([]);
  });

  it('says what is wrong with a request that can not be meant', async () => {
    const { ask } = givenDashboard({ alerts });
    expect((await ask('silence?fingerprint=gone', { method: 'POST', headers: own })).status).toBe(404);
    expect((await ask('silence?fingerprint=f7&minutes=-1', { method: 'POST', headers: own })).status).toBe(400);
    const without = givenDashboard();
    expect((await without.ask('silence?fingerprint=f7', { method: 'POST', headers: own })).status).toBe(409);
  });
});

describe('options', () => {
  const store = new MemoryMetricStore();
  it.each([
    [{ store: {} }, /store must be an object with a method query/],
    [{ store, titles: 'x' }, /has no option "titles"; did you mean "title"/],
    [{ store, token: '' }, /token must be a non-empty string/],
    [{ store, alerts: {} }, /alerts must be an object with a method instances/],
    [{ store, objectives: { errorRatio: 0 } }, /objectives.errorRatio must be above 0 and below 1, got 0/],
    [{ store, objectives: { errors: 1 } }, /objectives has no option "errors"/],
    [{ store, assets: '/nowhere' }, /dashboard-worker.js was not found in \/nowhere/],
  ])('refuses %j', (options, message) => {
    expect(() => createDashboard(options as never)).toThrow(message);
  });

  it('refuses a range and a format that can not be meant', async () => {
    const { dashboard, ask } = givenDashboard();
    await expect(dashboard.render({ format: 'gif' as never, from: 0, to: 1 })).rejects.toThrow(/format must be one of "svg"/);
    await expect(dashboard.render({ format: 'svg', from: 5, to: 5 })).rejects.toThrow(/to must be epoch milliseconds after from/);
    // Beyond what a date can tell, too: a report would fail at its first time of day.
    await expect(dashboard.render({ format: 'json', from: 9e15, to: 9e15 + 60_000 })).rejects.toThrow(/from must be epoch milliseconds/);
    for (const query of ['range=1', 'range=x', 'from=1', 'metric=a b c', 'from=9e15&to=9000000000060000', 'from=-60000&to=0']) {
      for (const route of ['events', 'snapshot', 'report']) expect((await ask(`${route}?${query}`)).status, `${route}?${query}`).toBe(400);
    }
    await dashboard[Symbol.asyncDispose]();
    await expect(dashboard.render({ format: 'svg', from: 0, to: 5 })).rejects.toThrow(/closed/);
    await dashboard[Symbol.asyncDispose]();
  });
});
