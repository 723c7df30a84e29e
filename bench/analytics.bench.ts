import { forests } from './analytics/forests.js';
import { growth } from './analytics/growth.js';
import { loopHold } from './analytics/loop-hold.js';
import { m4 } from './analytics/m4.js';
import { nab } from './analytics/nab.js';
import { trends } from './analytics/trends.js';
import { publish } from './harness.js';

/** Accuracy on public benchmarks first, then cost: a fast detector that finds nothing is worth nothing. */
export default async function analytics(): Promise<void> {
  const sections = [forests(), nab(), m4(), trends(), growth(), await loopHold()];
  publish('analytics', sections);
}
