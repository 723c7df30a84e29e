import { forecast } from '../../src/analytics/index.js';
import { readLines, sharedPath, table, targets } from './shared-data.js';

const HORIZON = 48;
const SEASON = 24;

function read(path: string): Map<string, Float64Array> {
  return new Map(
    readLines(path).map((line) => {
      const [id, ...values] = line.split(',');
      return [
        id!,
        Float64Array.from(
          values.filter((value) => value !== ''),
          Number,
        ),
      ];
    }),
  );
}

/** M4 Hourly: every series with default options, its season found by itself. */
export function m4(): string {
  const [train, test] = [sharedPath('m4/hourly_train.csv'), sharedPath('m4/hourly_test.csv')];
  if (train === undefined || test === undefined) return '### Forecasts on M4 Hourly\n\nLeft out: its data is not beside the project.\n';
  const future = read(test);
  const sums = { smape: 0, mase: 0, msis: 0, cov95: 0, cov80: 0, ms: 0, slowest: 0 };
  const past = read(train);
  for (const [id, values] of past) {
    const start = process.hrtime.bigint();
    const { mean, intervals } = forecast(values, { horizon: HORIZON });
    const ms = Number(process.hrtime.bigint() - start) / 1e6;
    sums.ms += ms;
    sums.slowest = Math.max(sums.slowest, ms);
    let scale = 0;
    for (let i = SEASON; i < values.length; i++) scale += Math.abs(values[i]! - values[i - SEASON]!) / (values.length - SEASON);
    const actual = future.get(id)!;
    const [inner, outer] = intervals;
    for (let h = 0; h < HORIZON; h++) {
      const [y, f] = [actual[h]!, mean[h]!];
      const [low, high] = [outer!.low[h]!, outer!.high[h]!];
      sums.smape += (200 * Math.abs(y - f)) / (Math.abs(y) + Math.abs(f)) / HORIZON;
      sums.mase += Math.abs(y - f) / scale / HORIZON;
      sums.msis += (high - low + 40 * Math.max(0, low - y) + 40 * Math.max(0, y - high)) / scale / HORIZON;
      sums.cov95 += Number(y >= low && y <= high) / HORIZON;
      sums.cov80 += Number(y >= inner!.low[h]! && y <= inner!.high[h]!) / HORIZON;
    }
  }
  const n = past.size;
  const [smape, mase, msis, cov95, cov80, ms] = [sums.smape / n, sums.mase / n, sums.msis / n, sums.cov95 / n, sums.cov80 / n, sums.ms / n];
  // Naive2 on these series: sMAPE 18.2245, MASE 2.4317.
  const owa = (smape / 18.2245 + mase / 2.4317) / 2;
  return [
    `### Forecasts on M4 Hourly (${n} series, horizon 48, season found automatically)`,
    '',
    table(
      ['', 'sMAPE', 'MASE', 'OWA', 'MSIS', '95 % coverage', '80 % coverage', 'ms a series (slowest)'],
      [
        [
          '**forecast**',
          smape.toFixed(3),
          mase.toFixed(3),
          owa.toFixed(3),
          msis.toFixed(2),
          cov95.toFixed(3),
          cov80.toFixed(3),
          `${ms.toFixed(1)} (${sums.slowest.toFixed(0)})`,
        ],
        ['reference: seasonal naive', '13.979', '1.233', '.637', '', '', '', ''],
        ['reference: multiple STL, damped', '15.551', '1.184', '.670', '14.19', '.795', '', ''],
      ],
    ),
    '',
    targets([
      { target: 'MASE ≤ .85', reached: mase.toFixed(4), met: mase <= 0.85 },
      { target: 'MASE ≤ .79 (aim)', reached: mase.toFixed(4), met: mase <= 0.79 },
      { target: 'MSIS ≤ 8', reached: msis.toFixed(2), met: msis <= 8 },
      { target: 'MSIS ≤ 6.1 (aim)', reached: msis.toFixed(2), met: msis <= 6.1 },
      { target: '95 % coverage .92 to .97', reached: cov95.toFixed(3), met: cov95 >= 0.92 && cov95 <= 0.97 },
      { target: '≤ 60 ms a series', reached: `${ms.toFixed(1)} ms`, met: ms <= 60 },
    ]),
    '',
  ].join('\n');
}
