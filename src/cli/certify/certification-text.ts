import type { CertificationReport } from '../../certification/index.js';
import { ColumnWriter } from '../column-writer.js';
import { printable } from '../terminal.js';

const NO_LEVEL = {
  record: 'It is the record of a run: no level.',
  part: 'Not all checks were made: no level.',
} as const;

/** In one line; JSON names them all. */
const MOST_NAMES = 8;

const levelless = ({ options }: CertificationReport): keyof typeof NO_LEVEL => ('record' in options ? 'record' : 'part');

/** The report as it is printed. */
export function certificationText(report: CertificationReport): string {
  const { level, readiness, ready, partial, categories, leftOut, notMeasured, method, tookMs, seed, signature } = report;
  let text = '';
  const write = (more: string): void => {
    text += more;
  };
  for (const { name, score, checks } of categories) {
    write(`${name}, ${score} %\n`);
    const rows = new ColumnWriter(write, ['', 'check', 'measured']);
    for (const { id, critical, passed, measured } of checks)
      rows.row([passed ? 'passed' : critical ? 'FAILED, critical' : 'FAILED', id, String(measured)]);
    rows.end();
    write('\n');
  }
  const failed = categories.flatMap(({ checks }) => checks).filter(({ passed }) => !passed);
  for (const { id, measured, required, why } of failed)
    write(`${id}\n  measured: ${printable(String(measured))}\n  required: ${printable(String(required))}\n  ${printable(why)}\n\n`);
  // Many for one reason, where a record is judged.
  for (const why of new Set(leftOut.map((one) => one.why))) {
    const ids = leftOut.flatMap((one) => (one.why === why ? [one.id] : []));
    write(`left out, since ${why}: ${ids.length > MOST_NAMES ? `${ids.length} checks, which --json names` : ids.join(', ')}\n`);
  }
  for (const { id, why } of notMeasured) write(`${id} was not measured: ${why}. On a busy machine give it more time (--within).\n`);
  for (const line of method) write(`${line}\n`);
  const isRecord = 'record' in report.options;
  write(`${isRecord ? '' : `Seed ${seed}, `}${(tookMs / 1000).toFixed(1)} s; results ${signature.results}\n\n`);
  const verdict = partial === true ? NO_LEVEL[levelless(report)] : `${level ?? ''}, ${ready ? 'ready' : 'not ready'}.`;
  write(`${verdict} Readiness ${readiness} %${partial === true ? ' of what was made' : ''}.\n`);
  return text;
}
