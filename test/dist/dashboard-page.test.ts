import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { createDashboard, type Dashboard, type DashboardOptions } from 'venuekit/dashboard';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, launchChromium } from '../setup/chromium.js';
import { freePort } from '../setup/free-port.js';
import { type Desk, givenAlert, givenDesk, keepAlert } from '../workload/given-desk.js';

const TOKEN = 'a-token-that-is-long-enough';
const HOSTILE = '<img src=x onerror=alert(1)>';
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

let browser: Browser;
/** The address of the dashboard that the tests share which leave it as it is. */
let url: string;
const shared: AsyncDisposable[] = [];
let desk: Desk;
let living: NodeJS.Timeout;
const open: AsyncDisposable[] = [];
/** Whatever a page complained of, or tried to reach. */
let complaints: string[] = [];

const alert = givenAlert({ fingerprint: 'f9', labels: { operation: HOSTILE }, firedAt: Date.now() - 60_000 });
const silenced: unknown[] = [];
const alerts = {
  instances: () => [alert],
  silence: (silence: unknown) => {
    silenced.push(silence);
    return 's1';
  },
};

const given = (options: Partial<DashboardOptions> = {}): Dashboard => {
  const dashboard = createDashboard({ store: desk.store, title: `Desk ${HOSTILE}`, token: TOKEN, alerts, ...options });
  open.push(dashboard);
  return dashboard;
};

const kept = new Map<string, Page>();

/** A page that several tests look at, since to open one takes seconds; it goes on with the desk's life. */
async function keptPage(query: '' | '&range=60000'): Promise<Page> {
  let page = kept.get(query);
  if (page === undefined) {
    page = await visit(`${url}${query}`, {}, shared);
    kept.set(query, page);
  }
  // A short range may hold no alert.
  await drawn(page, query === '' ? 7 : 6);
  const pause = page.getByRole('button', { name: 'Pause' });
  if ((await pause.getAttribute('aria-pressed')) === 'true') await pause.click();
  return page;
}

async function visit(address: string, options: Parameters<Browser['newContext']>[0] = {}, until: AsyncDisposable[] = open): Promise<Page> {
  const context: BrowserContext = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  until.push({ [Symbol.asyncDispose]: () => context.close() });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`threw: ${error.message}`));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    const home = new URL(address === 'about:blank' ? url : address).origin;
    if (new URL(request.url()).origin !== home && !request.url().startsWith('data:')) complaints.push(`outside request: ${request.url()}`);
  });
  await page.goto(address);
  return page;
}

/** A short range may hold no alert; then six have something to draw. */
const drawn = (page: Page, least = 7): Promise<unknown> =>
  page.waitForFunction((wanted) => document.querySelectorAll('figure[data-chart][data-state="drawn"]').length >= wanted, least, { timeout: 60_000 });
const words = (page: Page, id: string): Promise<string> => page.locator(`figure[data-chart="${id}"] .words`).innerText();
/** Figures are filled in when they are unfolded. */
async function rows(page: Page, id: string): Promise<string[][]> {
  const figure = page.locator(`figure[data-chart="${id}"]`);
  await figure.locator('details.values').evaluate((details) => {
    (details as HTMLDetailsElement).open = true;
  });
  await figure.locator('tr').first().waitFor({ state: 'attached' });
  return figure.locator('tr').evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent ?? '')));
}
const shownAt = async (page: Page): Promise<number> => Number(await page.locator('html').getAttribute('data-at'));

describe.skipIf(CHROMIUM === undefined)('the page in Chromium (skipped unless it is installed: sh scripts/install-test-services.sh)', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    // What DNS rebinding does: a name of somebody else's that leads here.
    browser = await launchChromium('--host-resolver-rules=MAP evil.example 127.0.0.1');
    const from = Math.floor(Date.now() / 1_000) * 1_000 - 600_000;
    desk = await givenDesk({ seconds: 600, from, operation: HOSTILE });
    await keepAlert(desk.store, from, { labels: { operation: HOSTILE } }, [
      [400, 'pending'],
      [420, 'firing'],
      [500, 'inactive'],
    ]);
    let isLiving = false;
    const dashboard = given();
    shared.push(...open.splice(0));
    ({ url } = await dashboard.listen());
    living = setInterval(() => {
      if (isLiving) return;
      isLiving = true;
      void desk.live(Math.max(0, Math.floor((Date.now() - desk.now()) / 1_000))).finally(() => {
        isLiving = false;
      });
    }, 250);
  }, 60_000);
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
    complaints = [];
  });
  afterAll(async () => {
    clearInterval(living);
    for (const one of shared.reverse()) await one[Symbol.asyncDispose]();
    await browser?.close();
    await desk?.[Symbol.asyncDispose]();
  });

  it('loads without a complaint and draws on all seven charts what the store holds', async () => {
    const page = await keptPage('');
    const text = await page.locator('body').innerText();
    for (const word of ['grade', 'health', 'budget', 'alerts']) expect(text.toLowerCase()).toContain(word);
    expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(1);
    const ids = await page.locator('[data-chart]').evaluateAll((all) => all.map((one) => one.getAttribute('data-chart')));
    expect(ids).toEqual(['latency', 'throughput', 'errors', 'cache', 'utilisation', 'metric', 'alerts']);

    // The figures, against the store, over the columns that the page says that it shows.
    await page.getByRole('button', { name: 'Pause' }).click();
    const at = await shownAt(page);
    const table = await rows(page, 'throughput');
    const operation = table.find(([name]) => name === HOSTILE)!;
    const stepMs = 5_000;
    const from = Math.floor((at - 900_000) / stepMs) * stepMs;
    const to = Math.floor((at + 1) / stepMs) * stepMs - 1;
    const [rate] = await desk.store.query({ metric: 'venuekit_venue_calls_total', match: { operation: HOSTILE }, agg: 'rate', by: [], from, to, stepMs });
    const figure = (value: number): string => `${Number(value.toPrecision(3))}/s`;
    expect(operation.slice(1, 5)).toEqual([rate!.v.at(-1)!, rate!.v.reduce((a, b) => a + b) / rate!.v.length, Math.min(...rate!.v), Math.max(...rate!.v)].map(figure));
    expect(operation[5]).toBe(String(rate!.v.length));
    const [p99] = await desk.store.query({ metric: 'venuekit_venue_call_seconds', agg: 'p99', by: [], from, to, stepMs });
    const most = (await rows(page, 'latency')).find(([name]) => name === 'p99')![4];
    expect(most).toBe(`${Number((Math.max(...p99!.v) * 1_000).toPrecision(3))} ms`);
    expect(await words(page, 'cache')).toMatch(/^9[\d.]+ % of reads were answered from the cache/);
    expect(await words(page, 'alerts')).toMatch(/^1 time an alert fired \(error-rate\)/);
    expect((await rows(page, 'alerts'))[1]![0]).toBe(`error-rate operation=${HOSTILE}`);
    expect((await rows(page, 'utilisation')).map(([name]) => name)).toEqual(['series', 'rest: in use', 'rest: waiting', 'fetcher: running', 'fetcher: queued']);
    expect((await rows(page, 'errors')).map(([name]) => name)).toEqual(['series', 'error ratio', 'calls', 'burn rate, 5 min', 'burn rate, 1 h']);

    // And there is paint of the series' own colours on each canvas.
    const colours = await page.locator('[data-chart] canvas').evaluateAll((all) =>
      all.map((one) => {
        const canvas = one as HTMLCanvasElement;
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        const seen = new Map<number, number>();
        for (let i = 0; i < data.length; i += 4) {
          const [r, g, b, a] = [data[i]!, data[i + 1]!, data[i + 2]!, data[i + 3]!];
          if (a > 200 && Math.max(r, g, b) - Math.min(r, g, b) > 60) seen.set((r << 16) | (g << 8) | b, (seen.get((r << 16) | (g << 8) | b) ?? 0) + 1);
        }
        return [...seen.values()].filter((pixels) => pixels > 20).length;
      }),
    );
    expect(colours).toHaveLength(7);
    for (const [i, count] of colours.entries()) expect(count, ids[i]!).toBeGreaterThanOrEqual(1);
    expect(complaints).toEqual([]);
  });

  it('takes the token out of its address and goes on with the cookie', async () => {
    const page = await visit(url);
    await drawn(page);
    expect(page.url()).toBe(new URL('/', url).href);
    expect(await page.evaluate(() => document.cookie)).toBe('');
    await page.reload();
    await drawn(page);
    expect(complaints).toEqual([]);
  });

  it('moves on by itself, holds still while paused, and catches up, also in a view that nobody has drawn ahead', async () => {
    expect(await (await fetch(`${url}&range=60000`)).text()).not.toContain('data-state="still"');
    const page = await keptPage('&range=60000');
    const first = await shownAt(page);
    await page.waitForFunction((at) => Number(document.documentElement.dataset.at) >= at + 2_000, first, { timeout: 60_000 });
    const pause = page.getByRole('button', { name: 'Pause' });
    await pause.click();
    expect(await pause.getAttribute('aria-pressed')).toBe('true');
    const held = await page.locator('main').innerText();
    const heldAt = await shownAt(page);
    // The desk lives on meanwhile.
    const second = desk.now();
    await expect.poll(() => desk.now(), { timeout: 30_000 }).toBeGreaterThanOrEqual(second + 2_000);
    expect(await page.locator('main').innerText()).toBe(held);
    expect(await page.locator('#status').innerText()).toMatch(/^paused, as of/);
    await pause.press('Enter');
    await page.waitForFunction((at) => Number(document.documentElement.dataset.at) > at, heldAt, { timeout: 60_000 });
    expect(complaints).toEqual([]);
  });

  it('goes on without a gap when the server comes back', async () => {
    const first = given();
    // Of a port that the kernel gives out, a client's connection may have taken it by the time that the server is back.
    const port = await freePort();
    const { url: own } = await first.listen({ port });
    const page = await visit(`${own}&range=120000`);
    await drawn(page, 6);
    await first[Symbol.asyncDispose]();
    await page.waitForFunction(() => document.documentElement.dataset.state === 'lost', undefined, { timeout: 60_000 });
    const lostAt = await shownAt(page);
    // Two seconds of the desk's life at least lie in the gap.
    const second = desk.now();
    await expect.poll(() => desk.now(), { timeout: 30_000 }).toBeGreaterThanOrEqual(second + 2_000);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await given().listen({ port });
    await page.waitForFunction((at) => Number(document.documentElement.dataset.at) > at + 2_000, lostAt, { timeout: 60_000 });
    expect(await page.locator('html').getAttribute('data-state')).toBe('live');
    // Not one second is missing of the two minutes, the seconds without a server among them.
    const [, ...series] = await rows(page, 'cache');
    for (const row of series) expect(Number(row[5])).toBeGreaterThanOrEqual(119);
    expect(asked.filter((one) => !one.includes('/events'))).toEqual([]);
    // That the connection was refused meanwhile is the browser's to say, and all that it says.
    expect(complaints.filter((one) => !/ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE)/.test(one))).toEqual([]);
  });

  it('comes with stills of all charts in the colours of either scheme, which stand until it draws itself', async () => {
    // Drawn when the server began to listen; the thread that draws may still be beginning.
    const html = async (): Promise<string> => (await fetch(url)).text();
    await expect.poll(async () => (await html()).match(/data-state="still"/g)?.length, { timeout: 60_000 }).toBe(7);
    const page = await visit('about:blank', { colorScheme: 'dark' });
    // The code that draws comes when the test says so.
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route('**/canvas.js', async (route) => {
      await released;
      await route.continue().catch(() => {});
    });
    await page.goto(url);
    await page.waitForFunction(() => document.documentElement.dataset.at !== undefined);
    expect(await page.locator('figure[data-state="still"] .plot > svg').count()).toBe(7);
    expect(await words(page, 'cache')).toMatch(/^9[\d.]+ % of reads/);
    const line = page.locator('[data-chart="latency"] svg path[fill="none"]').last();
    const colour = (): Promise<string> => line.evaluate((path) => getComputedStyle(path).stroke);
    const dark = await colour();
    await page.getByRole('button', { name: 'Dark' }).click();
    const light = await colour();
    expect(dark).toMatch(/^rgb\(/);
    expect(light).toMatch(/^rgb\(/);
    expect(light).not.toBe(dark);
    // A label is text in them, too, and no two pictures share a name.
    expect(await page.locator('[data-chart="throughput"] svg text').allTextContents()).toContain(HOSTILE);
    expect(await page.locator('.plot img').count()).toBe(0);
    const ids = await page.locator('.plot [id]').evaluateAll((all) => all.map(({ id }) => id));
    expect(ids.length).toBeGreaterThan(7);
    expect(new Set(ids).size).toBe(ids.length);
    release();
    await drawn(page);
    expect(await page.locator('.plot > svg').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('draws nothing while nobody looks at it, and what there is when somebody does', async () => {
    const page = await keptPage('&range=60000');
    const setHidden = (isHidden: boolean): Promise<void> =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event('visibilitychange'));
      }, isHidden);
    const picture = (): Promise<string> => page.locator('[data-chart="throughput"] canvas').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    await setHidden(true);
    const [before, at] = [await picture(), await shownAt(page)];
    await page.waitForFunction((then) => Number(document.documentElement.dataset.at) > then, at, { timeout: 60_000 });
    expect(await picture()).toBe(before);
    await setHidden(false);
    await page.waitForFunction(
      (then) => document.querySelector<HTMLCanvasElement>('[data-chart="throughput"] canvas')!.toDataURL() !== then,
      before,
      { timeout: 60_000 },
    );
    expect(complaints).toEqual([]);
  });

  it('connects anew when it is gone back to', async () => {
    const page = await keptPage('');
    const asked = page.waitForRequest(/\/events\?/);
    await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
    expect((await asked).url()).not.toContain('after=');
    await page.waitForFunction(() => document.documentElement.dataset.state === 'live');
    expect(complaints).toEqual([]);
  });

  it('shows a hostile label as text', async () => {
    const page = await keptPage('');
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('h1').innerText()).toBe(`Desk ${HOSTILE}`);
    expect(await page.locator('#open-alerts').innerText()).toContain(HOSTILE);
    expect(await words(page, 'throughput')).toContain(HOSTILE);
    await page.locator('[data-chart="alerts"] canvas').hover();
    await page.locator('[data-chart="throughput"] canvas').hover();
    await page.waitForTimeout(200);
    expect(complaints).toEqual([]);
  });

  it('lets nobody in with the wrong token or under a foreign name', async () => {
    const context = await browser.newContext();
    open.push({ [Symbol.asyncDispose]: () => context.close() });
    const page = await context.newPage();
    expect((await page.goto(`${new URL(url).origin}/?token=wrong`))?.status()).toBe(401);
    const { port } = new URL(url);
    expect((await page.goto(`http://evil.example:${port}/?token=${TOKEN}`))?.status()).toBe(421);
  });

  it('has its range, metric and colours changed by keyboard alone', async () => {
    const page = await visit(url, { colorScheme: 'light' });
    await drawn(page);
    const range = page.locator('#range');
    await range.focus();
    await range.press('ArrowUp');
    await page.waitForFunction(() => (document.querySelector<HTMLAnchorElement>('a[data-format=pdf]')?.href ?? '').includes('range=300000'));
    await drawn(page, 6);
    await page.locator('#metric').focus();
    await page.waitForFunction(() => document.querySelectorAll('#metric option').length > 5);
    await page.locator('#metric').selectOption('venuekit_cache_reads_total hit ratio');
    await page.waitForFunction(() => document.querySelector('#words-metric')?.textContent?.startsWith('venuekit_cache_reads_total hit ratio: '));
    await page.locator('#metric-name').fill('no such metric');
    await page.locator('#metric-name').press('Enter');
    expect(await page.locator('#metric-error').innerText()).toMatch(/metric must be the name of a metric/);
    const dark = page.getByRole('button', { name: 'Dark' });
    await dark.press('Space');
    expect(await page.locator('html').getAttribute('data-scheme')).toBe('dark');
    expect(await page.evaluate(() => getComputedStyle(document.body).color)).toBe('rgb(232, 236, 241)');
    expect(complaints).toEqual([]);
  });

  it('silences an alert on a click', async () => {
    silenced.length = 0;
    const page = await keptPage('');
    await page.getByRole('button', { name: /^Silence 1 h: error-rate/ }).click();
    await page.waitForFunction(() => document.querySelector('#silence-answer')?.textContent === 'error-rate is silenced for an hour.');
    expect(silenced).toEqual([expect.objectContaining({ match: { operation: HOSTILE, rule: 'error-rate' }, by: 'dashboard' })]);
    expect(complaints).toEqual([]);
  });

  it.each([
    ['1280 px, light', undefined],
    ['390 px, dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' as const }],
  ])('has no serious fault for axe, and nothing wider than the screen, at %s', async (_, options) => {
    const page = options === undefined ? await keptPage('') : await visit(url, options);
    await drawn(page);
    // By the debugger, which the policy of the page does not bind.
    const session = await page.context().newCDPSession(page);
    const { readFileSync } = await import('node:fs');
    await session.send('Runtime.evaluate', { expression: readFileSync(AXE, 'utf8') });
    const { result } = await session.send('Runtime.evaluate', {
      expression: `axe.run().then(({ violations }) => JSON.stringify(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => [id, nodes.map(({ target, failureSummary }) => [target.join(' '), failureSummary])])))`,
      awaitPromise: true,
      returnByValue: true,
    });
    expect(JSON.parse(result.value as string)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
  });
});
