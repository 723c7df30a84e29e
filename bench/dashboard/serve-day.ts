import { systemClock } from 'venuekit';
import { createDashboard } from 'venuekit/dashboard';
import { SqliteMetricStore } from 'venuekit/sqlite';

/** A process that serves the dashboard of a file as if its newest tick were of this moment; it prints its address. */
const [path = '', newest = ''] = process.argv.slice(2);
const behindMs = systemClock.now() - Number(newest);
const clock = { ...systemClock, now: () => systemClock.now() - behindMs };
const store = await SqliteMetricStore.open({ path, readOnly: true });
const dashboard = createDashboard({ store, clock, title: 'a day of 1,000 series' });
process.stdout.write(`${(await dashboard.listen()).url}\n`);
process.once('SIGTERM', () => process.exit(0));
