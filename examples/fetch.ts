import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FetchTask, ParallelFetcher } from 'venuekit/parallel';

/**
 * A screener's fetch against a server on loopback that is slow for some symbols and refuses a few
 * requests with Retry-After:
 *
 *     npx tsx examples/fetch.ts
 */
let served = 0;
let atOnce = 0;
let mostAtOnce = 0;
const venue = http.createServer((_request, response) => {
  mostAtOnce = Math.max(mostAtOnce, ++atOnce);
  setTimeout(
    () => {
      atOnce--;
      if (++served % 25 === 0) response.writeHead(429, { 'retry-after': '0.2' }).end();
      else response.end(JSON.stringify({ close: served }));
    },
    served % 10 === 0 ? 90 : 15,
  );
});
await new Promise<void>((resolve) => venue.listen(0, '127.0.0.1', resolve));
const { port } = venue.address() as AddressInfo;

async function fetchClose(symbol: string, { signal }: { readonly signal: AbortSignal }): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/${symbol}`, { signal });
  const body = await response.text();
  if (response.status === 429) throw Object.assign(new Error('429'), { retryAfterMs: Number(response.headers.get('retry-after')) * 1_000 });
  return (JSON.parse(body) as { close: number }).close;
}

const fetcher = new ParallelFetcher({
  concurrency: 12,
  groups: { bars: { ratePerSecond: 150 } },
  retry: { max: 3, baseMs: 50, capMs: 1_000 },
});
const tasks = Array.from({ length: 300 }, (_, i): FetchTask<string, number> => ({ input: `SYM${i}`, group: 'bars', run: fetchClose }));

const results = await fetcher.all(tasks, {
  deadlineMs: 20_000,
  onProgress: ({ done, total, ratePerSecond, etaMs }) => {
    if (done % 100 === 0) console.log(`${done} of ${total}, ${ratePerSecond.toFixed(0)} a second, ${((etaMs ?? 0) / 1_000).toFixed(1)} s left`);
  },
});
const { retries, maxRunning, efficiency } = fetcher.stats();
console.log(`${results.filter((result) => result.status === 'fulfilled').length} of ${results.length} fetched, ${retries} retries after a 429`);
console.log(
  `at most ${maxRunning} running (the venue saw ${mostAtOnce}), slots busy ${(efficiency * 100).toFixed(0)} % of the time: the rate is the limit`,
);

let read = 0;
for await (const result of fetcher.stream(tasks.slice(0, 40), { order: 'completion' })) if (result.status === 'fulfilled') read++;
console.log(`${read} results streamed as they came`);

await fetcher.close();
venue.closeAllConnections();
venue.close();
