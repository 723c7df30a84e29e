import { parseArgs } from 'node:util';
import { standardRules } from '../src/alerts/index.js';
import { SimulatedSession } from '../test/workload/simulated-session.js';

/**
 * False alarms of the standard rules: the main job's workload in virtual time on a venue where nothing
 * goes wrong, in sessions of two hours with a seed each. Fails when anybody would have been told. With
 * `--mishaps 0.005`, the main job's share of requests that fail, minutes with more than 5 % of failed
 * placements do occur by chance, and are told.
 *
 *     tsx scripts/calm-hours.ts --hours 24 --seed 1
 */
const { values } = parseArgs({
  options: { hours: { type: 'string', default: '24' }, seed: { type: 'string', default: '1' }, mishaps: { type: 'string', default: '0' } },
});
const hours = Number(values.hours);
const firstSeed = Number(values.seed);
const mishaps = Number(values.mishaps);
if (!(hours > 0) || !Number.isInteger(firstSeed) || !(mishaps >= 0 && mishaps <= 1)) {
  console.error(
    `--hours must be above 0, --seed a whole number and --mishaps between 0 and 1, got ${values.hours}, ${values.seed} and ${values.mishaps}`,
  );
  process.exit(2);
}

const SESSION_HOURS = 2;
const HOUR_S = 3_600;
let alarms = 0;
for (let done = 0, seed = firstSeed; done < hours; done += SESSION_HOURS, seed++) {
  const seconds = Math.min(SESSION_HOURS, hours - done) * HOUR_S;
  await using session = await SimulatedSession.start({ seed, seconds, mishaps, kit: { rules: standardRules() } });
  session.kit.bus.on('alert', ({ alert, from }) => {
    if ((from !== 'inactive' && from !== 'pending') || alert.state === 'pending' || alert.state === 'inactive') return;
    alarms++;
    const at = ((session.clock.now() - session.from) / 1_000).toFixed(0);
    console.log(`seed ${seed}, ${at} s: ${alert.rule} (${alert.severity}) ${alert.state} at ${alert.value}, ${JSON.stringify(alert.labels)}`);
  });
  await session.advance(seconds);
  console.log(`${done + seconds / HOUR_S} of ${hours} calm hours, ${alarms} alarms`);
}
process.exit(alarms === 0 ? 0 : 1);
