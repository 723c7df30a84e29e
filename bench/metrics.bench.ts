import { AggregationTemporality, type CollectionResult, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import hdr from 'hdr-histogram-js';
import { Counter as PromCounter, Gauge as PromGauge, Histogram as PromHistogram, Registry as PromRegistry } from 'prom-client';
import { seededRandom } from '../src/core/random.js';
import { MetricsRegistry } from '../src/metrics/registry.js';
import { compare, digits, publish, toMarkdown } from './harness.js';

/** Recording and exposition, against prom-client, the OpenTelemetry SDK and hdr-histogram-js. */
export default async function bench(): Promise<void> {
  publish('metrics', [
    toMarkdown(await boundCounters()),
    toMarkdown(await oneBoundCounter()),
    'Here each increment waits for the one before, and so does the typed array’s, for a sum of floats; venuekit counts ones as integers, for which the wait is shorter. An increment by anything else costs what the array’s does.\n',
    toMarkdown(await labelledCounter()),
    toMarkdown(await histogram()),
    toMarkdown(await exposition(1)),
    toMarkdown(await exposition(4)),
  ]);
}

const venues = ['binance', 'kraken', 'coinbase', 'alpaca'];
const operations = ['place', 'cancel', 'find', 'quote', 'bars', 'book', 'trades', 'fills'];

/** The label sets, in no order that a cache of the last one would profit from; their number is a power of two. */
function givenLabels() {
  const random = seededRandom(3);
  const sets = venues.flatMap((venue) => operations.map((operation) => ({ venue, operation, at: random() }))).sort((a, b) => a.at - b.at);
  return { sets: sets.map(({ venue, operation }) => ({ venue, operation })), mask: sets.length - 1 };
}

function givenOtel(): MeterProvider {
  class PullReader extends MetricReader {
    constructor() {
      super({ aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE });
    }
    protected override async onForceFlush(): Promise<void> {}
    protected override async onShutdown(): Promise<void> {}
    async read(): Promise<CollectionResult> {
      return this.collect();
    }
  }
  return new MeterProvider({ readers: [new PullReader()] });
}

/** Counters of different labels, one after the other, as a program has them. */
async function boundCounters() {
  const { sets, mask } = givenLabels();
  const slots = new Float64Array(1024);
  const family = new MetricsRegistry().counter({ name: 'a_total', help: 'x', labels: ['venue', 'operation'] });
  const ours = sets.map((labels) => family.with(labels));
  // As in a program: some counters hold fractions, and all of them are of one class.
  family.with({ venue: 'other', operation: 'other' }).inc(0.5);
  const promFamily = new PromCounter({ name: 'a_total', help: 'x', labelNames: ['venue', 'operation'], registers: [new PromRegistry()] });
  const prom = sets.map((labels) => promFamily.labels(labels));
  const otel = givenOtel().getMeter('bench').createCounter('a');
  return compare(
    `Counters whose labels are bound beforehand (${sets.length} in turn)`,
    [
      {
        name: 'typed array increment',
        role: 'floor',
        run: (n) => {
          for (let i = 0; i < n; i++) slots[i & mask]! += 1;
          return slots[7];
        },
      },
      {
        name: 'venuekit',
        role: 'ours',
        run: (n) => {
          for (let i = 0; i < n; i++) ours[i & mask]!.inc();
          return ours;
        },
      },
      {
        name: 'prom-client, its bound children',
        role: 'peer',
        run: (n) => {
          for (let i = 0; i < n; i++) prom[i & mask]!.inc();
          return prom;
        },
      },
      {
        name: 'OpenTelemetry SDK (attributes kept, it has no bound form)',
        role: 'peer',
        run: (n) => {
          for (let i = 0; i < n; i++) otel.add(1, sets[i & mask]);
          return otel;
        },
      },
    ],
    {
      targets: (ns) => [atLeast('≥ 50 × prom-client, bound against its bound children', ns('prom-client, its bound children') / ns('venuekit'), 50)],
    },
  );
}

async function oneBoundCounter() {
  const slots = new Float64Array(1024);
  const family = new MetricsRegistry().counter({ name: 'a_total', help: 'x', labels: ['venue', 'operation'] });
  family.with({ venue: 'other', operation: 'other' }).inc(0.5);
  const ours = family.with({ venue: 'v', operation: 'o' });
  const promFamily = new PromCounter({ name: 'a_total', help: 'x', labelNames: ['venue', 'operation'], registers: [new PromRegistry()] });
  const prom = promFamily.labels('v', 'o');
  const otel = givenOtel().getMeter('bench').createCounter('a');
  const attributes = { venue: 'v', operation: 'o' };
  return compare(
    'One counter, bound, again and again',
    [
      {
        name: 'typed array increment',
        role: 'floor',
        run: (n) => {
          for (let i = 0; i < n; i++) slots[7]! += 1;
          return slots[7];
        },
      },
      {
        name: 'venuekit',
        role: 'ours',
        run: (n) => {
          for (let i = 0; i < n; i++) ours.inc();
          return ours;
        },
      },
      {
        name: 'prom-client, its bound child',
        role: 'peer',
        run: (n) => {
          for (let i = 0; i < n; i++) prom.inc();
          return prom;
        },
      },
      {
        name: 'prom-client, labels kept in an object',
        role: 'peer',
        run: (n) => {
          for (let i = 0; i < n; i++) promFamily.inc(attributes);
          return promFamily;
        },
      },
      {
        name: 'OpenTelemetry SDK (attributes kept, it has no bound form)',
        role: 'peer',
        run: (n) => {
          for (let i = 0; i < n; i++) otel.add(1, attributes);
          return otel;
        },
      },
    ],
    {
      targets: (ns) => [
        atMost('≤ 1.5 × a typed array increment', ns('venuekit') / ns('typed array increment'), 1.5, '×'),
        atLeast('≥ 50 × prom-client, bound against its bound child', ns('prom-client, its bound child') / ns('venuekit'), 50),
      ],
    },
  );
}

async function labelledCounter() {
  const { sets, mask } = givenLabels();
  const ours = new MetricsRegistry().counter({ name: 'a_total', help: 'x', labels: ['venue', 'operation'] });
  const prom = new PromCounter({ name: 'a_total', help: 'x', labelNames: ['venue', 'operation'], registers: [new PromRegistry()] });
  const otel = givenOtel().getMeter('bench').createCounter('a');
  const [ofVenue, ofOperation] = [sets.map(({ venue }) => venue), sets.map(({ operation }) => operation)];
  return compare(
    `A counter whose two labels are looked up at each call (${sets.length} series in turn)`,
    [
      {
        name: 'venuekit',
        role: 'ours',
        run: (n) => {
          for (let i = 0; i < n; i++) {
            ours.with({ venue: ofVenue[i & mask]!, operation: ofOperation[i & mask]! }).inc();
          }
          return ours;
        },
      },
      {
        name: 'prom-client',
        role: 'peer',
        run: (n) => {
          for (let i = 0; i < n; i++) {
            prom.inc({ venue: ofVenue[i & mask]!, operation: ofOperation[i & mask]! });
          }
          return prom;
        },
      },
      {
        name: 'OpenTelemetry SDK',
        role: 'peer',
        run: (n) => {
          for (let i = 0; i < n; i++) {
            otel.add(1, { venue: ofVenue[i & mask]!, operation: ofOperation[i & mask]! });
          }
          return otel;
        },
      },
    ],
    {
      targets: (ns) => [atMost('≤ 30 ns', ns('venuekit'), 30, ' ns'), atLeast('≥ 10 × prom-client', ns('prom-client') / ns('venuekit'), 10)],
    },
  );
}

async function histogram() {
  // Latencies in seconds, lognormal; hdr wants integers, and gets microseconds.
  const values = Float64Array.from({ length: 4096 }, (_, i) => Math.exp(-4 + 1.2 * Math.sin(i * 12.9898) * 2));
  const micros = Float64Array.from(values, (value) => Math.max(1, Math.round(value * 1e6)));
  const slots = new Float64Array(1024);
  const ours = new MetricsRegistry().histogram({ name: 'a_seconds', help: 'x' });
  const prom = new PromHistogram({ name: 'a_seconds', help: 'x', registers: [new PromRegistry()] });
  const otel = givenOtel().getMeter('bench').createHistogram('a');
  const hdrHistogram = hdr.build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 2 });
  return compare(
    'A histogram (ours keeps every quantile within 1 %; prom-client and OpenTelemetry some buckets)',
    [
      {
        name: 'typed array increment',
        role: 'floor',
        run: (n) => {
          for (let i = 0; i < n; i++) slots[i & 1023]! += values[i & 4095]!;
          return slots[7];
        },
      },
      {
        name: 'venuekit',
        role: 'ours',
        run: (n) => {
          for (let i = 0; i < n; i++) ours.observe(values[i & 4095]!);
          return ours.quantile(0.5);
        },
      },
      {
        name: 'prom-client (11 buckets)',
        role: 'peer',
        run: (n) => {
          for (let i = 0; i < n; i++) prom.observe(values[i & 4095]!);
          return prom;
        },
      },
      {
        name: 'OpenTelemetry SDK (15 buckets)',
        role: 'peer',
        run: (n) => {
          for (let i = 0; i < n; i++) otel.record(values[i & 4095]!);
          return otel;
        },
      },
      {
        name: 'hdr-histogram-js (2 digits)',
        role: 'peer',
        run: (n) => {
          for (let i = 0; i < n; i++) hdrHistogram.recordValue(micros[i & 4095]!);
          return hdrHistogram.getValueAtPercentile(50);
        },
      },
    ],
    {
      targets: (ns) => [
        atMost('≤ 15 ns', ns('venuekit'), 15, ' ns'),
        atLeast('≥ 10 × prom-client', ns('prom-client (11 buckets)') / ns('venuekit'), 10),
      ],
    },
  );
}

/**
 * The page as a scrape needs it: bytes for a socket. Values are put in place between two pages, in
 * prom-client's memory too, so that nothing of recording them is in the figures.
 * @param every - one of so many series changes between two pages
 */
async function exposition(every: number) {
  const series = 10_000;
  const registry = new MetricsRegistry({ maxSeries: 2 * series });
  const promRegistry = new PromRegistry();
  const changes: { readonly ours: { set(value: number): void }; readonly theirs: { value: number } }[] = [];
  for (let family = 0; family < 10; family++) {
    const name = `bot_value_${family}`;
    const ours = registry.gauge({ name, help: 'A value.', labels: ['venue', 'symbol'] });
    const theirs = new PromGauge({ name, help: 'A value.', labelNames: ['venue', 'symbol'], registers: [promRegistry] });
    for (let i = 0; i < series / 10; i++) {
      const labels = { venue: venues[i % venues.length]!, symbol: `SYM${i}/USD` };
      ours.with(labels).set(i * 1.25 + family);
      theirs.set(labels, i * 1.25 + family);
    }
    const kept = Object.values((theirs as unknown as { readonly hashMap: Readonly<Record<string, { value: number }>> }).hashMap);
    for (let i = 0; i < kept.length; i += every) {
      const labels = { venue: venues[i % venues.length]!, symbol: `SYM${i}/USD` };
      changes.push({ ours: ours.with(labels), theirs: kept[i]! });
    }
  }
  let round = 0;
  const ourPage = (): Uint8Array => {
    round += 0.25;
    for (let i = 0; i < changes.length; i++) changes[i]!.ours.set(round + (i % 1_000) * 1.25);
    return registry.expositionBytes();
  };
  const theirPage = async (): Promise<Uint8Array> => {
    round += 0.25;
    for (let i = 0; i < changes.length; i++) changes[i]!.theirs.value = round + (i % 1_000) * 1.25;
    return Buffer.from(await promRegistry.metrics());
  };
  const samples = (page: Uint8Array): string[] =>
    page
      .toString()
      .split('\n')
      .filter((line) => line !== '')
      .sort();
  const said = samples(Buffer.from(ourPage()));
  round -= 0.25;
  if (said.join('\n') !== samples(await theirPage()).join('\n')) throw new Error('the two pages must say the same');
  const parts = registry.exposition().split('\n');
  return compare(
    `The page of ${series} series, ${every === 1 ? 'all' : 'a quarter'} of which changed since the last, as bytes for a socket`,
    [
      {
        name: 'joining lines that are there',
        role: 'floor',
        run: (n) => {
          let bytes = 0;
          for (let i = 0; i < n; i++) bytes += Buffer.from(parts.join('\n')).length;
          return bytes;
        },
      },
      {
        name: 'venuekit',
        role: 'ours',
        run: (n) => {
          let bytes = 0;
          for (let i = 0; i < n; i++) bytes += ourPage().length;
          return bytes;
        },
      },
      {
        name: 'prom-client',
        role: 'peer',
        run: async (n) => {
          let bytes = 0;
          for (let i = 0; i < n; i++) bytes += (await theirPage()).length;
          return bytes;
        },
      },
    ],
    {
      roundMs: 300,
      targets: (ns) => [atMost('≤ 4 ms', ns('venuekit') / 1e6, 4, ' ms'), atLeast('≥ 8 × prom-client', ns('prom-client') / ns('venuekit'), 8)],
    },
  );
}

function atMost(target: string, value: number, limit: number, unit: string): { target: string; reached: string; met: boolean } {
  return { target, reached: `${digits(value)}${unit}`, met: value <= limit };
}

function atLeast(target: string, value: number, limit: number): { target: string; reached: string; met: boolean } {
  return { target, reached: `${digits(value)} ×`, met: value >= limit };
}
