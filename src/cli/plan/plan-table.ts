import type { PerformanceReport } from '../../analyzer/index.js';
import { digits } from '../../analyzer/measures/numbers.js';
import { ColumnWriter } from '../column-writer.js';
import type { Terminal } from '../terminal.js';

/** The components, the plan and its targets as tables. */
export function writePlan(report: PerformanceReport, terminal: Terminal): void {
  const table = (head: readonly string[], rows: readonly (readonly string[])[]): void => {
    const columns = new ColumnWriter(terminal.out, head);
    for (const row of rows) columns.row(row);
    columns.end();
    if (rows.length > 0) terminal.out('\n');
  };
  table(
    ['COMPONENT', 'VERDICT'],
    report.components.map(({ name, verdict }) => [name, verdict]),
  );
  if (report.opportunities.length === 0) terminal.out(`Nothing to improve was found.\n\n`);
  table(
    ['PHASE', 'FINDING', 'OPTION', 'FROM', 'TO', 'EFFORT', 'EXPECTED'],
    report.opportunities.map(({ phase, id, change, effort, estimate }) => [
      String(phase),
      id,
      change.option,
      short(change.from),
      short(change.to),
      effort,
      estimate === undefined
        ? 'no estimate'
        : `${estimate.metric}: ${digits(estimate.from)} → ${digits(estimate.to)} (${digits(estimate.low)} … ${digits(estimate.high)})`,
    ]),
  );
  for (const { id, finding, change, noEstimate } of report.opportunities) {
    terminal.out(`${id}: ${finding}\n  ${change.why}\n${noEstimate === undefined ? '' : `  no estimate: ${noEstimate}\n`}`);
  }
  if (report.opportunities.length > 0) terminal.out('\n');
  table(
    ['AREA', 'TARGET', 'NOW', 'THEN', 'PHASE'],
    report.targets.map(({ area, metric, current, target, deadlinePhase }) => [area, metric, digits(current), digits(target), String(deadlinePhase)]),
  );
  for (const { id, why } of report.undecided) terminal.err(`${id} could not tell: ${why}\n`);
}

function short(value: unknown): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
