import { isSettled } from '../../contracts/journal-records.js';
import type { CertificationCategory } from '../certification-report.js';
import { type Finding, figure, type NothingToSee } from '../check.js';
import { countOf, measureOf, type RecordContext } from './record.js';

/** A property of a kit that the record of its run shows. */
export interface RecordCheck {
  readonly id: string;
  readonly category: CertificationCategory;
  readonly critical: boolean;
  run(record: RecordContext): Promise<Finding | NothingToSee>;
}

const HOUR_MS = 3_600_000;
const LONGEST_RAW_HOURS = 12;
const LEAST_SHARE_OF_SECONDS = 0.95;

/** Every second of the run is in the store. */
const ticks: RecordCheck = {
  id: 'component.recorded-ticks',
  category: 'component',
  critical: false,
  async run(record) {
    const { store, performance, signal } = record;
    const { from, to } = performance;
    const found = await store.query({ metric: 'venuekit_process_uptime_seconds', from, to }, signal);
    const count = found.reduce((sum, { t }) => sum + t.length, 0);
    const seconds = (to - from) / 1_000;
    const refused = (await countOf(record, 'venuekit_store_append_failures_total')) ?? 0;
    return {
      passed: count >= LEAST_SHARE_OF_SECONDS * seconds && refused === 0,
      measured: `${count} ticks in ${figure(seconds)} s, ${refused} refused by the store`,
      required: 'a tick each second, 0 refused',
      why: 'Points of venuekit_process_uptime_seconds between the first and the last record; where raw ticks have been dropped already, choose a later range.',
    };
  },
};

/** The run met the objectives of its components. */
const objectives: RecordCheck = {
  id: 'performance.recorded-objectives',
  category: 'performance',
  critical: false,
  async run({ performance }) {
    const judged = performance.components.filter(({ verdict }) => verdict !== 'not measured');
    const missed = judged.filter(({ verdict }) => verdict.startsWith('missed'));
    return {
      passed: judged.length > 0 && missed.length === 0,
      measured:
        missed.length === 0
          ? `${judged.length} of ${performance.components.length} components measured, all met`
          : missed.map(({ name, verdict }) => `${name} ${verdict}`).join('; '),
      required: 'no objective missed',
      why: 'The measures of the six components in this range, against the default objectives of PerformanceAnalyzer.',
    };
  },
};

/** No order was made twice, and none was left to a person. */
const orders: RecordCheck = {
  id: 'integration.recorded-orders',
  category: 'integration',
  critical: true,
  async run(record) {
    const changes = await countOf(record, 'venuekit_order_transitions_total');
    if (changes === undefined || changes === 0) return { leftOut: 'no order was placed in this range' };
    const [conflicts, escalated, unknown, resolved] = await Promise.all(
      ['venuekit_order_conflicts_total', 'venuekit_order_escalated_total', 'venuekit_order_unknown_total', 'venuekit_order_resolved_total'].map(
        async (metric) => (await countOf(record, metric)) ?? 0,
      ),
    );
    return {
      passed: conflicts === 0 && escalated === 0,
      measured: `${conflicts} intents with more than one order, ${escalated} escalated; ${unknown} outcomes unknown, ${resolved} of them proved`,
      required: '0 with more than one order, 0 escalated',
      why: 'Counters of order.conflict, order.escalated, order.unknown and order.resolved, as the run told them.',
    };
  },
};

/** The venue refused nothing for its limits. */
const limits: RecordCheck = {
  id: 'integration.recorded-limits',
  category: 'integration',
  critical: true,
  async run(record) {
    const calls = measureOf(record, 'venue calls', 'calls');
    if (calls === undefined) return { leftOut: 'no call of the venue was made in this range' };
    const blocks = measureOf(record, 'venue calls', 'limitBlocks') ?? 0;
    const used = measureOf(record, 'venue calls', 'limitUsedP95');
    if (blocks > 0 && used === undefined)
      return {
        leftOut: `the venue told nothing of what was used: that it blocked ${blocks} times in ${calls} calls may be for what the bot sent, or its own doing`,
      };
    return {
      passed: blocks === 0,
      measured: `${blocks} blocks in ${calls} calls${used === undefined ? '' : `, ${figure(100 * used)} % used (p95 of the tightest limit)`}`,
      required: '0 blocks',
      why: 'Reports of the venue that it blocked everything under a limit, and what it said was used.',
    };
  },
};

/** Alerts are judged, and who is to be told is. */
const alerts: RecordCheck = {
  id: 'production.recorded-alerts',
  category: 'production',
  critical: false,
  async run(record) {
    const [evaluated, failed, raised] = await Promise.all([
      countOf(record, 'venuekit_alert_rules_evaluated_total'),
      countOf(record, 'venuekit_alert_evaluation_failures_total'),
      countOf(record, 'venuekit_alert_transitions_total', { state: 'firing' }),
    ]);
    const [told, lost] = await Promise.all(['true', 'false'].map((ok) => countOf(record, 'venuekit_alert_notifications_total', { ok })));
    return {
      passed: (evaluated ?? 0) > 0 && (failed ?? 0) === 0 && (lost ?? 0) === 0 && ((raised ?? 0) === 0 || (told ?? 0) > 0),
      measured: `${evaluated ?? 0} evaluations of rules, ${failed ?? 0} failed; ${raised ?? 0} alerts raised, ${told ?? 0} notifications taken, ${lost ?? 0} lost`,
      required: 'rules evaluated, 0 failed, 0 notifications lost, and somebody told where an alert was raised',
      why: 'Counters of alert.evaluated, alert and alert.notification. That a channel works while nothing is raised, only the drill of a live kit shows.',
    };
  },
};

/** What is old has been dropped. */
const retention: RecordCheck = {
  id: 'production.recorded-retention',
  category: 'production',
  critical: false,
  async run({ store, performance, signal }) {
    const { to } = performance;
    const metric = 'venuekit_process_uptime_seconds';
    const held = await store.query({ metric, from: to - 30 * 24 * HOUR_MS, to }, signal);
    const oldest = Math.min(to, ...held.map(({ t }) => t[0] ?? to));
    const hours = (to - oldest) / HOUR_MS;
    const minutes = await store.query({ metric, from: to - 30 * 24 * HOUR_MS, to, stepMs: 60_000, agg: 'last' }, signal);
    const longest = (to - Math.min(to, ...minutes.map(({ t }) => t[0] ?? to))) / HOUR_MS;
    if (longest <= LONGEST_RAW_HOURS)
      return {
        leftOut: `raw ticks are to be dropped after ${LONGEST_RAW_HOURS} h, and the record is of ${longest < 1 ? `${figure(longest * 60)} min` : `${figure(longest)} h`}`,
      };
    return {
      passed: hours <= LONGEST_RAW_HOURS + 2,
      measured: `raw ticks of ${figure(hours)} h, minutes of ${figure(longest)} h`,
      required: `raw ticks of at most ${LONGEST_RAW_HOURS} h`,
      why: 'The oldest raw tick and the oldest minute that the store still has, within 30 days.',
    };
  },
};

/** The journal is whole, and nothing in it is in doubt. */
const journal: RecordCheck = {
  id: 'production.recorded-journal',
  category: 'production',
  critical: true,
  async run({ journal: kept, signal }) {
    if (kept === undefined) return { leftOut: 'there is no journal of the run (orders.db beside the metrics)' };
    let [intents, open] = [0, 0];
    for await (const records of kept.intents()) {
      signal?.throwIfAborted();
      if (records[0] === undefined || records[0].type === 'halt') continue;
      intents++;
      if (!isSettled(records)) open++;
    }
    const damage = await kept.integrity();
    return {
      passed: intents > 0 && open === 0 && damage.length === 0,
      measured: `${intents} intents, ${open} not over, ${damage.length === 0 ? 'no damage' : damage.slice(0, 3).join('; ')}`,
      required: 'intents, all of them over, no damage',
      why: 'Every record of the journal was read, and its file looked over. Run after the bot has ended: orders that work are not over.',
    };
  },
};

/** In the order in which they run. */
export const recordChecks: readonly RecordCheck[] = [ticks, objectives, orders, limits, alerts, retention, journal];
