import type { MarketKind } from '../../contracts/market-data.js';
import type { Endpoint } from '../shared/guarded-endpoints.js';
import type { Overrides } from '../shared/overrides.js';
import { ONE_DATA_REQUEST } from './alpaca-adapter.js';
import type { ResilientAlpaca } from './resilient-alpaca.js';
import { factsOfDataError } from './v3-data.js';

/** Market-data methods of version 3 that give a promise, by what they read. */
const READS: Readonly<Record<string, MarketKind | undefined>> = {
  getMultiTradesV2: 'trades',
  getMultiQuotesV2: 'quote',
  getMultiBarsV2: 'bars',
  getLatestTrade: 'trades',
  getLatestTrades: 'trades',
  getLatestQuote: 'quote',
  getLatestQuotes: 'quote',
  getLatestBar: 'bars',
  getLatestBars: 'bars',
  getSnapshot: 'quote',
  getSnapshots: 'quote',
  getCryptoTrades: 'trades',
  getCryptoQuotes: 'quote',
  getCryptoBars: 'bars',
  getLatestCryptoTrades: 'trades',
  getLatestCryptoQuotes: 'quote',
  getLatestCryptoBars: 'bars',
  getCryptoSnapshots: 'quote',
  getCryptoOrderbooks: 'book',
  getOptionBars: 'bars',
  getOptionTrades: 'trades',
  getOptionLatestTrades: 'trades',
  getOptionLatestQuotes: 'quote',
  getOptionSnapshots: 'quote',
  getOptionChain: 'quote',
  getCorporateActions: undefined,
  getNews: undefined,
};

/** And those that give one row after the other, page by page. */
const ROWS: Readonly<Record<string, MarketKind>> = {
  getTradesV2: 'trades',
  getQuotesV2: 'quote',
  getBarsV2: 'bars',
  getMultiTradesAsyncV2: 'trades',
  getMultiQuotesAsyncV2: 'quote',
  getMultiBarsAsyncV2: 'bars',
};

/** Rows of the SDK's own page, where the caller asks for no other. */
const PAGE = 10_000;

type Rows = (...args: unknown[]) => AsyncGenerator<unknown, void, undefined>;

/** Market data of version 3, behind limits, retries and the cache: its methods share no request function that could be replaced. */
export function guardV3Reads(overrides: Overrides, path: ResilientAlpaca, maxAges: Readonly<Partial<Record<MarketKind, number>>>): void {
  for (const [name, kind] of Object.entries(READS)) {
    overrides.wrap(name, (read) => (...args) => {
      const load = (): Promise<unknown> =>
        path.guarded.repeatable(
          endpoint(kind, () => read(...copies(args))),
          true,
        );
      const maxAgeMs = kind === undefined ? 0 : (maxAges[kind] ?? 0);
      return maxAgeMs > 0 ? path.cache.read(`${name}|${JSON.stringify(args)}`, kind, maxAgeMs, load) : load();
    });
  }
  for (const [name, kind] of Object.entries(ROWS)) {
    overrides.wrap<Rows>(
      name,
      (read) =>
        (...args) =>
          resumed(path, kind, read, args),
    );
  }
}

/**
 * Rows of a generator that breaks off are taken up where it broke: read again from the start, without those that were given
 * already. Each step reads one page, and stands behind limits and retries.
 */
async function* resumed(path: ResilientAlpaca, kind: MarketKind, read: Rows, args: readonly unknown[]): AsyncGenerator<unknown, void, undefined> {
  const options = args.find((one) => typeof one === 'object' && one !== null && !Array.isArray(one)) as { pageLimit?: unknown } | undefined;
  const size = Math.min(Number(options?.pageLimit) || PAGE, PAGE);
  let source: AsyncGenerator<unknown, void, undefined> | undefined;
  let given = 0;
  let taken = 0;
  const page = async (): Promise<{ readonly rows: unknown[]; readonly isLast: boolean }> => {
    const rows: unknown[] = [];
    try {
      source ??= read(...copies(args));
      while (rows.length < size) {
        const { done, value } = await source.next();
        if (done === true) return { rows, isLast: true };
        if (++taken > given) rows.push(value);
      }
      return { rows, isLast: false };
    } catch (error) {
      source = undefined;
      taken = 0;
      throw error;
    }
  };
  try {
    for (let isLast = false; !isLast; ) {
      // A second copy at the same time would take rows from the first.
      const next = (await path.guarded.repeatable(endpoint(kind, page), false)) as Awaited<ReturnType<typeof page>>;
      isLast = next.isLast;
      for (const row of next.rows) {
        given++;
        yield row;
      }
    }
  } finally {
    await source?.return(undefined).catch(() => {});
  }
}

function endpoint(kind: MarketKind | undefined, read: () => Promise<unknown>): Endpoint {
  return {
    operation: kind ?? 'data',
    costs: ONE_DATA_REQUEST,
    priority: 'read',
    call: async () => {
      try {
        return { result: await read() };
      } catch (error) {
        return { error, facts: factsOfDataError(error) };
      }
    },
  };
}

// The SDK takes its options apart while it reads.
function copies(args: readonly unknown[]): unknown[] {
  return args.map((arg) => (typeof arg === 'object' && arg !== null && Object.getPrototypeOf(arg) === Object.prototype ? { ...arg } : arg));
}
