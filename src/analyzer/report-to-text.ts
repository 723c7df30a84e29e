import { digits } from './measures/numbers.js';
import type { PerformanceReport } from './performance-analyzer.js';
import type { Opportunity } from './plan/plan.js';

/** The report as text for a person, in UTC. */
export function performanceToText(report: PerformanceReport): string {
  const { components, opportunities, targets, undecided } = report;
  const lines = [`${utc(report.from)} to ${utc(report.to)}${report.partial === true ? ', interrupted: this is a part' : ''}`, ''];
  for (const { name, verdict } of components) lines.push(`${name}: ${verdict}`);
  lines.push('');
  if (opportunities.length === 0) lines.push('Nothing to improve was found.');
  for (const phase of [1, 2, 3] as const) {
    const those = opportunities.filter((one) => one.phase === phase);
    if (those.length === 0) continue;
    lines.push(`Phase ${phase}`);
    for (const one of those) lines.push(...opportunityLines(one));
    lines.push('');
  }
  if (targets.length > 0) {
    lines.push('Targets');
    for (const { area, metric, current, target, deadlinePhase } of targets)
      lines.push(
        `  ${area}: ${metric} ${current === target ? `stays at ${digits(current)}` : `from ${digits(current)} to ${digits(target)}`} (phase ${deadlinePhase})`,
      );
    lines.push('');
  }
  if (undecided.length > 0) {
    lines.push('Could not be told');
    for (const { id, why } of undecided) lines.push(`  ${id}: ${why}`);
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function opportunityLines({ id, finding, change, estimate, noEstimate, effort }: Opportunity): readonly string[] {
  const { option, from, to, why } = change;
  return [
    `  ${id} (effort ${effort}): ${finding}`,
    `    change ${option} from ${JSON.stringify(from)} to ${JSON.stringify(to)}: ${why}`,
    estimate === undefined
      ? `    no estimate: ${noEstimate}`
      : `    ${estimate.metric}: ${digits(estimate.from)} → ${digits(estimate.to)} (${digits(estimate.low)} to ${digits(estimate.high)}); ${estimate.how}`,
  ];
}

function utc(t: number): string {
  return new Date(t).toISOString().replace(/\.\d+Z$/, 'Z');
}
