import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import QuickLRU from 'quick-lru';
import type { CacheEntry, CacheStore } from '../../src/contracts/cache-store.js';
import { quickLruStore } from '../../src/market-data/quick-lru-store.js';
import { s3FifoStore } from '../../src/market-data/s3-fifo-store.js';

// Beside the project, where the collection of public traces is present; it may not be copied.
const TRACES = new URL('../../../shared/data/traces/', import.meta.url);
/** Of a long trace, enough to compare by. */
const MOST_ACCESSES = 500_000;
const SHARE_OF_KEYS = 0.1;

/** Hit ratios at a capacity of a tenth of the keys, as Markdown; says so where the traces are not present. */
export function publicTraces(): string {
  const title = '### Hit ratio on public traces, capacity a tenth of the different keys\n';
  if (!existsSync(TRACES)) return `${title}\nSkipped: the traces are not present at ../shared/data/traces.\n`;
  const lines = [
    title,
    '| trace | accesses | keys | quickLruStore | s3FifoStore | lru-cache | quick-lru, holding up to twice as much |',
    '|---|---:|---:|---:|---:|---:|---:|',
  ];
  const sums = [0, 0, 0, 0];
  let traces = 0;
  for (const { name, keys } of readTraces()) {
    const different = new Set(keys).size;
    const capacity = Math.max(1, Math.floor(different * SHARE_OF_KEYS));
    const ratios = [
      replay(keys, storeOf(quickLruStore({ maxEntries: capacity }))),
      replay(keys, storeOf(s3FifoStore({ maxEntries: capacity }))),
      replay(keys, new LRUCache<string, CacheEntry>({ max: capacity })),
      replay(keys, new QuickLRU<string, CacheEntry>({ maxSize: capacity })),
    ];
    ratios.forEach((ratio, i) => {
      sums[i] = (sums[i] as number) + ratio;
    });
    traces++;
    lines.push(`| ${name} | ${keys.length.toLocaleString('en')} | ${different.toLocaleString('en')} | ${ratios.map(percent).join(' | ')} |`);
  }
  lines.push(`| **mean** | | | ${sums.map((sum) => `**${percent(sum / traces)}**`).join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}

interface Replayed {
  get(key: string): unknown;
  set(key: string, entry: CacheEntry): unknown;
}

function storeOf(store: CacheStore): Replayed {
  return store;
}

const ENTRY: CacheEntry = { value: 0, sentAt: 0, receivedAt: 0, epoch: 0, source: 'rest', weight: 1 };

function replay(keys: readonly string[], cache: Replayed): number {
  let hits = 0;
  for (const key of keys) {
    if (cache.get(key) !== undefined) hits++;
    else cache.set(key, ENTRY);
  }
  return hits / keys.length;
}

function* readTraces(): Iterable<{ readonly name: string; readonly keys: readonly string[] }> {
  for (const folder of ['lirs', 'cache2k']) {
    const url = new URL(`${folder}/`, TRACES);
    if (!existsSync(url)) continue;
    for (const file of readdirSync(url).filter((name) => name.endsWith('.trace.gz'))) {
      const bytes = gunzipSync(readFileSync(new URL(file, url)));
      yield {
        name: `${folder}/${file.replace('.trace.gz', '')}`,
        keys: (folder === 'lirs' ? linesOf(bytes) : integersOf(bytes)).slice(0, MOST_ACCESSES),
      };
    }
  }
}

// One key a line; a line `*` marks a phase and is no key.
function linesOf(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== '*');
}

function integersOf(bytes: Buffer): string[] {
  return Array.from({ length: Math.min(MOST_ACCESSES, bytes.length >> 2) }, (_, i) => String(bytes.readInt32BE(4 * i)));
}

function percent(ratio: number): string {
  return (100 * ratio).toFixed(1);
}
