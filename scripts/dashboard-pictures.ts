import { mkdirSync, writeFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { systemClock } from 'venuekit';
import { createDashboard } from 'venuekit/dashboard';
import type { MetricTick } from '../src/contracts/metric-store.js';
import { MemoryMetricStore } from '../src/metrics/index.js';
import { launchChromium } from '../test/setup/chromium.js';
import { type DeskStore, givenAlert, givenDesk, keepAction, keepAlert } from '../test/workload/given-desk.js';
import { VirtualTimeStore } from '../test/workload/virtual-time-store.js';
import { palettePng } from './palette-png.js';

/**
 * Takes the pictures of the documentation: the live page on a wide screen and on a phone, light and
 * dark, and the still; of a quarter of an hour in which a venue grew slow. Needs the build.
 *
 *     npm run pictures
 */
const FOLDER = 'docs/images';
const SECONDS = 900;
const FROM = Date.UTC(2026, 10, 26, 14, 15);
/** As high as the page, since what is out of view is not drawn again. */
const VIEWS = [
  ['dashboard-light', { width: 1280, height: 2_400 }, 'light'],
  ['dashboard-dark', { width: 1280, height: 2_400 }, 'dark'],
  ['dashboard-phone-light', { width: 390, height: 4_400 }, 'light'],
  ['dashboard-phone-dark', { width: 390, height: 4_400 }, 'dark'],
] as const;

const store = new MemoryMetricStore();
const kept = new VirtualTimeStore(store);
const UPTIME = { name: 'venuekit_process_uptime_seconds', labels: {} };
/** The desk has run for five hours by then. */
const withUptime = ({ t, series, values, ...rest }: MetricTick): MetricTick => ({
  ...rest,
  t,
  series: [...series, UPTIME],
  values: Float64Array.of(...values, 18_000 + (t - FROM) / 1_000),
});
await using desk = await givenDesk({ store: { append: (tick) => kept.append(withUptime(tick)) } as DeskStore, seconds: SECONDS, from: FROM });
const labels = { operation: 'place', venue: 'sim' };
await keepAlert(store, FROM, { rule: 'error-rate', labels }, [
  [380, 'pending'],
  [410, 'firing'],
  [560, 'recovering'],
  [620, 'inactive'],
]);
await keepAlert(store, FROM, { fingerprint: 'f2', rule: 'latency-p99', severity: 'warning', labels: { venue: 'sim' } }, [
  [420, 'pending'],
  [480, 'firing'],
  [640, 'inactive'],
]);
const pool = { fingerprint: 'f3', rule: 'pool-exhaustion', severity: 'warning', labels: { pool: 'rest' } } as const;
await keepAlert(store, FROM, pool, [
  [850, 'pending'],
  [865, 'firing'],
]);
await keepAction(store, FROM, 411, { rule: 'error-rate', action: 'trip-breaker', mode: 'auto' });
await keepAction(store, FROM, 481, { rule: 'latency-p99', action: 'lower-concurrency' });
await keepAction(store, FROM, 866, { rule: 'pool-exhaustion', action: 'shed-prefetch', mode: 'auto' });

// As if the last second on record were this one.
const aheadMs = desk.now() - systemClock.now();
const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
const alerts = { instances: () => [givenAlert({ ...pool, firedAt: FROM + 865_000 })], silence: () => '' };
await using dashboard = createDashboard({ store, alerts, clock, title: 'Desk 4' });
const { url } = await dashboard.listen();
const browser = await launchChromium('--hide-scrollbars');
mkdirSync(FOLDER, { recursive: true });
try {
  for (const [name, viewport, colorScheme] of VIEWS) {
    const context = await browser.newContext({ viewport, colorScheme });
    const page = await context.newPage();
    await page.goto(`${url}&from=${FROM}&to=${desk.now()}`);
    await page.waitForFunction(isWhole, undefined, { timeout: 120_000 });
    await keep(
      name,
      await page.screenshot({
        timeout: 120_000,
        clip: { x: 0, y: 0, width: viewport.width, height: await page.evaluate(() => document.body.scrollHeight) },
      }),
      viewport.width,
    );
    await context.close();
  }
  await keep('report', Buffer.from(await dashboard.render({ format: 'png', from: FROM, to: desk.now() })), 1280);
} finally {
  await browser.close();
}

// Drawn, graded and explained.
function isWhole(): boolean {
  const drawn = document.querySelectorAll('figure[data-chart][data-state="drawn"]').length;
  return (
    drawn === 7 &&
    document.querySelector('#grade')?.textContent !== '–' &&
    /Forecast/.test(document.querySelector('#words-metric')?.textContent ?? '')
  );
}

/** Writes a picture of that width with a palette. The browser reads it: what comes out of it is pixels. */
async function keep(name: string, png: Buffer, width: number): Promise<void> {
  const page = await browser.newPage();
  const { pixels, height } = await pixelsOf(page, png, width);
  await page.close();
  const bytes = palettePng(Buffer.from(pixels, 'base64'), width, height);
  writeFileSync(`${FOLDER}/${name}.png`, bytes);
  console.log(`${FOLDER}/${name}.png, ${width} × ${height}, ${Math.round(bytes.length / 1_000)} kB`);
}

function pixelsOf(page: Page, png: Buffer, width: number): Promise<{ readonly pixels: string; readonly height: number }> {
  return page.evaluate(
    async ({ source, width: wide }) => {
      const image = new Image();
      image.src = source;
      await image.decode();
      const height = Math.round((image.height * wide) / image.width);
      const canvas = Object.assign(document.createElement('canvas'), { width: wide, height });
      const context = canvas.getContext('2d')!;
      context.imageSmoothingQuality = 'high';
      context.drawImage(image, 0, 0, wide, height);
      const { data } = context.getImageData(0, 0, wide, height);
      let text = '';
      for (let i = 0; i < data.length; i += 32_768) text += String.fromCharCode(...data.subarray(i, i + 32_768));
      return { pixels: btoa(text), height };
    },
    { source: `data:image/png;base64,${png.toString('base64')}`, width },
  );
}
