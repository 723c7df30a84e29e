import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Alpaca as AlpacaV4 } from '@alpacahq/alpaca-trade-api';
import { Spot } from '@binance/spot';
import { MainClient } from 'binance';
import ccxt from 'ccxt';
import { percentiles } from '../examples/session/judge.js';
import { connectAlpaca } from '../src/testing/alpaca/connect-alpaca.js';
import { compare, digits, publish, toMarkdown } from './harness.js';
import { bundle, loadAlpaca, loadBinance, loadCcxt } from './wrappers/bundle.js';
import type { CallSettings, CallTimes } from './wrappers/call-process.js';
import { ApiNode, CONTENDERS, Connector, V3Constructor } from './wrappers/contenders.js';

/**
 * What `resilient()` adds to an SDK: to a call that no cache answers, to reading a property, and to the memory of an instance.
 * Raw and wrapped instances call one venue in turns.
 */

/** Until the engine has compiled for good what a call runs through, on both sides: a bot that reads once a second is there after three hours. */
const WARM_UP = 10_000;
const CALLS = 10_000;
/** What is told of the time before that. */
const FIRST = 2_000;
/** 2 of weight each, on both sides, of 6,000. */
const BLOCK = 1_000;
const INSTANCES = 200;
const MOST_PERCENT = 5;
const MOST_READ_NS = 100;
const URLS_OF_NOBODY = { url: 'http://127.0.0.1:9', credentials: { apiKey: 'none', secret: 'none' } };

export default async function wrappers(): Promise<void> {
  await bundle();
  publish('wrappers', [await callTable(), await readTable(), await memoryTable()]);
}

async function timesOf(name: string): Promise<CallTimes> {
  const script = fileURLToPath(new URL('./wrappers/call-process.ts', import.meta.url));
  const settings: CallSettings = { name, calls: WARM_UP + CALLS, block: BLOCK };
  const child = fork(script, [JSON.stringify(settings)], { execArgv: ['--import', 'tsx'] });
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`The process of ${name} ended with code ${String(code)} before it had measured.`);
  });
  died.catch(() => {});
  const [times] = (await Promise.race([once(child, 'message'), died])) as [CallTimes];
  return times;
}

async function callTable(): Promise<string> {
  const rows: string[] = [];
  const targets: string[] = [];
  for (const name of Object.keys(CONTENDERS)) {
    const took = await timesOf(name);
    const [raw, wrapped] = [took.raw, took.wrapped].map((times) => percentiles(times.slice(WARM_UP)));
    const over = shareOf(raw!.p50, wrapped!.p50);
    const atFirst = shareOf(percentiles(took.raw.slice(0, FIRST)).p50, percentiles(took.wrapped.slice(0, FIRST)).p50);
    rows.push(
      `| ${name} | ${digits(raw!.p50)} | ${digits(wrapped!.p50)} | ${digits(raw!.p95)} | ${digits(wrapped!.p95)} | ${digits((wrapped!.p50 - raw!.p50) * 1_000)} | ${digits(over)} % | ${digits(atFirst)} % |`,
    );
    targets.push(`| ${name}: at most ${MOST_PERCENT} % of the call | ${digits(over)} % | ${over <= MOST_PERCENT ? 'met' : 'MISSED'} |`);
  }
  return [
    '### A call that no cache answers',
    '',
    `${CALLS} calls of each, raw and wrapped in turns, one after the other, after ${WARM_UP} others of each. Each SDK in a process of its own, as in a bot; the venue in another, on loopback, which answers at once. Last column: the share in the first ${FIRST}, while the engine still compiles.`,
    '',
    '| | raw p50, ms | wrapped p50 | raw p95 | wrapped p95 | added at p50, µs | share | at first |',
    '|---|---:|---:|---:|---:|---:|---:|---:|',
    ...rows,
    '',
    '| target | reached | |',
    '|---|---|---|',
    ...targets,
    '',
  ].join('\n');
}

/** What is added, in percent. */
function shareOf(raw: number, wrapped: number): number {
  return (wrapped / raw - 1) * 100;
}

async function readTable(): Promise<string> {
  const { resilient: resilientCcxt, release: releaseCcxt } = await loadCcxt();
  const { resilient: resilientAlpaca, release: releaseAlpaca } = await loadAlpaca();
  const raw = new ccxt.binance();
  const wrapped = resilientCcxt(new ccxt.binance());
  const rawV4 = new AlpacaV4({ keyId: 'any', secret: 'any' });
  const wrappedV4 = resilientAlpaca(new AlpacaV4({ keyId: 'any', secret: 'any', retry: false }));
  const reading =
    (read: () => unknown) =>
    (iterations: number): number => {
      let seen = 0;
      for (let i = 0; i < iterations; i++) if (read() !== undefined) seen++;
      return seen;
    };
  const comparison = await compare(
    'Reading a property',
    [
      { name: 'ccxt raw', role: 'floor', run: reading(() => raw.fetchTicker) },
      { name: 'ccxt wrapped', role: 'ours', run: reading(() => wrapped.fetchTicker) },
      { name: 'Alpaca 4 raw, three deep', role: 'peer', run: reading(() => rawV4.trading.orders.postOrder) },
      { name: 'Alpaca 4 wrapped, three deep', role: 'ours', run: reading(() => wrappedV4.trading.orders.postOrder) },
    ],
    {
      targets: (ns) =>
        ['ccxt wrapped', 'Alpaca 4 wrapped, three deep'].map((name) => ({
          target: `${name}: at most ${MOST_READ_NS} ns`,
          reached: `${digits(ns(name))} ns`,
          met: ns(name) <= MOST_READ_NS,
        })),
    },
  );
  await releaseCcxt(wrapped);
  await releaseAlpaca(wrappedV4);
  return toMarkdown(comparison);
}

async function memoryTable(): Promise<string> {
  const { resilient: resilientCcxt, release: releaseCcxt } = await loadCcxt();
  const { resilient: resilientAlpaca, release: releaseAlpaca } = await loadAlpaca();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { url, credentials } = URLS_OF_NOBODY;
  const host = new URL(url).host;
  const { resilient: resilientBinance, release: releaseBinance } = await loadBinance();
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const onCcxt = { wrap: resilientCcxt, end: releaseCcxt };
  const onAlpaca = { wrap: resilientAlpaca, end: releaseAlpaca };
  const onBinance = { wrap: (sdk: object) => resilientBinance(sdk, { logger: quiet }), end: releaseBinance };
  const kinds: Readonly<Record<string, { make: () => object; wrap: (sdk: object) => object; end: (sdk: object) => Promise<void> }>> = {
    'ccxt binance': { make: () => new ccxt.binance(), ...onCcxt },
    'ccxt kraken': { make: () => new ccxt.kraken(), ...onCcxt },
    'Alpaca 3': { make: () => connectAlpaca(new V3Constructor({ keyId: 'any', secretKey: 'any' }), host, credentials), ...onAlpaca },
    'Alpaca 4': { make: () => connectAlpaca(new AlpacaV4({ keyId: 'any', secret: 'any', retry: false }), host, credentials), ...onAlpaca },
    '@binance/connector': { make: () => new Connector('any', 'any'), ...onBinance },
    binance: { make: () => new MainClient({ api_key: 'any', api_secret: 'any' }), ...onBinance },
    '@binance/spot': { make: () => new Spot({ configurationRestAPI: { apiKey: 'any', apiSecret: 'any', retries: 0 } }), ...onBinance },
    'binance-api-node': { make: () => ApiNode({ apiKey: 'any', apiSecret: 'any' }), ...onBinance },
  };
  const rows: string[] = [];
  for (const [name, { make, wrap, end }] of Object.entries(kinds)) {
    await end(wrap(make()));
    const sdks = Array.from({ length: INSTANCES }, make);
    collect();
    const before = process.memoryUsage().heapUsed;
    for (const sdk of sdks) wrap(sdk);
    collect();
    const bytes = (process.memoryUsage().heapUsed - before) / INSTANCES;
    rows.push(`| ${name} | ${digits(bytes / 1_024)} |`);
    for (const sdk of sdks) await end(sdk);
  }
  return [
    '### Memory of a wrapped instance',
    '',
    `What wrapping adds to the heap, before the first call, over ${INSTANCES} instances.`,
    '',
    '| | KiB |',
    '|---|---:|',
    ...rows,
    '',
  ].join('\n');
}
