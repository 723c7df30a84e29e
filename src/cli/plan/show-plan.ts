import type { PerformanceReport } from '../../analyzer/index.js';
import { CommandFailure, type ExitCode, type Terminal } from '../terminal.js';
import { writePlan } from './plan-table.js';
import { applyTo } from './write-options.js';

/** What is made of a plan. */
export interface ShownPlan {
  readonly json?: boolean;
  readonly apply?: string;
}

/** Prints a plan, and writes the options that it proposes where that was asked for. */
export async function showPlan(report: PerformanceReport, { json, apply }: ShownPlan, terminal: Terminal): Promise<ExitCode> {
  if (json === true) terminal.out(`${JSON.stringify(report, null, 2)}\n`);
  else writePlan(report, terminal);
  // A part of a plan is shown, and never applied.
  if (report.partial === true) throw new CommandFailure(`Interrupted: this is a part${apply === undefined ? '' : ', and nothing was written'}.`);
  if (apply === undefined) return 0;
  const { applied, left } = await applyTo(apply, report.opportunities);
  terminal.err(`${apply}: ${applied.length === 0 ? 'nothing to apply' : applied.map(({ change }) => change.option).join(', ')}\n`);
  for (const { id, change } of left) terminal.err(`left to you: ${change.option} (${id})\n`);
  return 0;
}
