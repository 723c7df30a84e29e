import type { TextDocument, Tone } from '../../dashboard/report/document.js';
import type { CategoryResult, CertificationReport } from '../certification-report.js';

const TITLES: Readonly<Record<CategoryResult['name'], string>> = {
  component: 'Component: every part present, answering, closing cleanly',
  performance: 'Performance: against the same bot without the kit',
  integration: 'Integration: what it does when the venue fails',
  production: 'Production: how it is set up to run',
};

const TONES: Readonly<Record<string, Tone>> = { GOLD: 'good', SILVER: 'good', BRONZE: 'warning', DEVELOPMENT: 'critical' };

/** The report as text for a page or for paper. */
export function documentOf(report: CertificationReport): TextDocument {
  const { level, readiness, ready, categories, leftOut, notMeasured, method, environment, seed, durationMs, startedAt, tookMs, options, signature } =
    report;
  const all = categories.flatMap(({ checks }) => checks);
  const failed = all.filter(({ passed }) => !passed);
  return {
    title: `venuekit certification: ${level ?? without(report)}`,
    subtitle: `${utc(startedAt)}, venuekit ${environment.venuekit}, seed ${seed}`,
    figures: [
      {
        label: 'Level',
        value: level ?? 'none',
        below: level === undefined ? 'not all checks were made' : ready ? 'ready' : 'not ready',
        tone: TONES[level ?? ''] ?? 'muted',
      },
      { label: 'Readiness', value: `${readiness} %`, ...(level === undefined ? { below: 'of what was made' } : {}) },
      { label: 'Checks passed', value: `${all.length - failed.length} of ${all.length}` },
      {
        label: 'Critical checks failed',
        value: String(failed.filter(({ critical }) => critical).length),
        tone: failed.some(({ critical }) => critical) ? 'critical' : 'plain',
      },
    ],
    sections: [
      {
        heading: 'What failed',
        paragraphs: failed.length === 0 ? ['Nothing.'] : [],
        tables: failed.length === 0 ? [] : [tableOf('', failed)],
      },
      ...categories.map(({ name, score, checks }) => ({ heading: TITLES[name], paragraphs: [`${score} %`], tables: [tableOf('', checks)] })),
      {
        heading: 'How it was done',
        paragraphs: [
          ...method,
          `It took ${(tookMs / 1000).toFixed(1)} s; the bot of the session traded for ${durationMs / 1000} s of virtual time.`,
          `Ran on ${environment.runtime}, ${environment.platform}, ${environment.cpus} processors.`,
          ...leftOut.map(({ id, why }) => `${id} was left out: ${why}.`),
          ...notMeasured.map(({ id, why }) => `${id} was not measured: ${why}.`),
        ],
      },
      {
        heading: 'Inputs',
        tables: [
          {
            title: '',
            columns: ['option', 'how'],
            rows: Object.entries(options).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
            empty: 'Defaults only.',
          },
        ],
      },
      {
        heading: 'Hashes',
        paragraphs: [`SHA-256 of the inputs: ${signature.inputs}`, `SHA-256 of the inputs and all results: ${signature.results}`],
      },
    ],
  };
}

/** What a report without a level is. */
function without({ options, notMeasured }: CertificationReport): string {
  if ('record' in options) return 'the record of a run';
  return notMeasured.length > 0 ? 'not all was measured' : 'not all checks were made';
}

function tableOf(title: string, checks: CategoryResult['checks']): NonNullable<TextDocument['sections'][number]['tables']>[number] {
  return {
    title,
    columns: ['check', 'measured', 'required', 'why'],
    rows: checks.map(({ id, critical, passed, measured, required, why }) => [
      `${passed ? 'passed' : 'FAILED'} ${id}${critical ? ' (critical)' : ''}`,
      String(measured),
      String(required),
      why,
    ]),
    tones: checks.map(({ passed, critical }) => (passed ? 'good' : critical ? 'critical' : 'warning')),
    empty: 'No check of this kind ran.',
  };
}

const utc = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
