import { TraceRecorder } from '../../../src/analyzer/index.js';
import { EventBus } from '../../../src/contracts/events.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { MemoryMetricStore, MetricsRegistry } from '../../../src/metrics/index.js';
import { simulatedBroker } from '../../../src/testing/simulated-broker.js';
import { SimulatedVenue } from '../../../src/testing/simulated-venue.js';
import { MemoryOrderJournal } from '../../../src/trading/index.js';
import { logNormal, type Planted, plantedRun } from './desk.js';

/** What Node says of a process, as it would be: the virtual run has no process of its own. */
function process(id: string, flaw: string, second: (random: () => number, isFlawed: boolean, metrics: ProcessMetrics) => void): Planted {
  return {
    id,
    flaw,
    flawed: {},
    sound: {},
    run: async ({ seed, isFlawed }) => {
      const clock = new ManualClock();
      const random = seededRandom(seed);
      const store = new MemoryMetricStore();
      const registry = new MetricsRegistry({ clock });
      const delay = registry.gauge({ name: 'venuekit_process_event_loop_delay_seconds', help: 'delay', labels: ['stat'] });
      const memory = registry.gauge({ name: 'venuekit_process_memory_bytes', help: 'memory', labels: ['kind'] });
      const gc = registry.histogram({ name: 'venuekit_process_gc_seconds', help: 'pauses', labels: ['kind'] });
      const metrics: ProcessMetrics = {
        delay: (seconds) => {
          delay.with({ stat: 'max' }).set(seconds);
          delay.with({ stat: 'p99' }).set(seconds * 0.8);
        },
        minor: (seconds) => gc.with({ kind: 'minor' }).observe(seconds),
        major: (seconds) => gc.with({ kind: 'major' }).observe(seconds),
      };
      const from = clock.now();
      const recorder = new TraceRecorder({ bus: new EventBus(), clock });
      const collected = registry.collect(store);
      for (let i = 0; i < 180; i++) {
        memory.with({ kind: 'heap_used' }).set(80e6 + 30e6 * random());
        second(random, isFlawed, metrics);
        await clock.advance(1_000);
      }
      collected[Symbol.dispose]();
      await registry[Symbol.asyncDispose]();
      return { store, trace: recorder.trace(), from, to: clock.now(), metric: Number.NaN };
    },
  };
}

interface ProcessMetrics {
  delay(seconds: number): void;
  minor(seconds: number): void;
  major(seconds: number): void;
}

const SLOW_DISK: Planted = {
  id: 'fsync-bound-writes',
  flaw: 'a disk that takes 15 ms to make an append durable, and a venue that answers in 15',
  flawed: {},
  sound: {},
  run: ({ seed, tuning, isFlawed }) => {
    const parts: { journal?: MemoryOrderJournal } = {};
    const clockOf = new ManualClock();
    const journal = new MemoryOrderJournal({ clock: clockOf });
    parts.journal = journal;
    let slow: (() => Promise<void>) | undefined;
    const append = journal.append.bind(journal);
    journal.append = async (records) => {
      await slow?.();
      await append(records);
    };
    return plantedRun(
      { seed, tuning, kit: { journal } },
      ({ clock, random }) => {
        slow = () => clock.sleep(logNormal(random, isFlawed ? 15 : 0.3, 0.3));
        return { broker: simulatedBroker(new SimulatedVenue({ clock, random, seed, limits: [], latency: { p50Ms: 15, p99Ms: 40 } })) };
      },
      async ({ clock, kit, random }) => {
        for (let i = 0; i < 150; i++) {
          void kit.trading!.place({ symbol: 'BTC/USDT', side: i % 2 === 0 ? 'buy' : 'sell', type: 'market', qty: '0.01' }).catch(() => {});
          await clock.advance(500 + 800 * random());
        }
        await clock.advance(5_000);
        return () => Number.NaN;
      },
    );
  },
};

export const PLANTED_IN_PROCESSES: readonly Planted[] = [
  process('event-loop-stalls', 'one second in ten in which the loop stands still for 150 ms and more', (random, isFlawed, { delay, minor }) => {
    delay(random() < (isFlawed ? 0.1 : 0.004) ? 0.15 + 0.25 * random() : 0.004 + 0.03 * random());
    for (let i = 0; i < 4; i++) minor(0.0005 + 0.001 * random());
  }),
  process('gc-pauses', 'the collector takes a tenth of the time', (random, isFlawed, { delay, minor, major }) => {
    delay(0.004 + 0.03 * random());
    for (let i = 0; i < (isFlawed ? 30 : 5); i++) minor(0.001 + (isFlawed ? 0.005 : 0.001) * random());
    if (random() < 0.05) major(0.01 + 0.01 * random());
  }),
  SLOW_DISK,
];
