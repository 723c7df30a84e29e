import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts';
import type { RangeQuery, RangeResult } from '../../contracts/metric-store.js';
import type { ChartDefinition, ChartSource, PlotSeries } from './chart.js';
import { format, utc } from './format.js';
import { columnTime, type Grid, onGrid, rangeOf } from './grid.js';
import { drawn, frame, latest, timeAxis } from './option-parts.js';

const MOST_ROWS = 12;
const MOST_READ = 64;
/** Wider cells than this many a chart show more than they hide. */
const MOST_CELLS = 90;
/** Where a colour ends and the next begins. */
const BOUNDS = [0.5, 0.8, 0.95] as const;
const NAMES = ['< 50 %', '50–80 %', '80–95 %', '≥ 95 %'];

export const utilisationChart: ChartDefinition = {
  id: 'utilisation',
  title: 'Utilisation of pools and queues',
  how: 'Highest of venuekit_pool_utilisation_ratio and venuekit_fetch_utilisation_ratio in each column; and who waits, as a share of the places there are: venuekit_pool_waiting over venuekit_pool_max, venuekit_fetch_queued over venuekit_fetch_concurrency.',
  async read(source, grid) {
    const [used, waiting, sizes, running, queued, concurrency] = await Promise.all([
      highest(source, grid, 'venuekit_pool_utilisation_ratio', ['pool']),
      highest(source, grid, 'venuekit_pool_waiting', ['pool']),
      highest(source, grid, 'venuekit_pool_max', ['pool']),
      highest(source, grid, 'venuekit_fetch_utilisation_ratio', []),
      highest(source, grid, 'venuekit_fetch_queued', []),
      highest(source, grid, 'venuekit_fetch_concurrency', []),
    ]);
    const row = (name: string, v: (number | null)[]): PlotSeries => ({ name, unit: 'ratio', v });
    const pool = ({ labels }: RangeResult): string => labels.pool ?? 'pool';
    const series = [
      ...used.map((result) => row(`${pool(result)}: in use`, onGrid(result, grid))),
      ...waiting.map((result) =>
        row(
          `${pool(result)}: waiting`,
          over(
            result,
            sizes.find((size) => pool(size) === pool(result)),
            grid,
          ),
        ),
      ),
      ...running.map((result) => row('fetcher: running', onGrid(result, grid))),
      ...queued.map((result) => row('fetcher: queued', over(result, concurrency[0], grid))),
    ].filter(({ v }) => v.some((value) => value !== null));
    if (series.length > MOST_READ) series.splice(0, series.length, ...fullest(series, MOST_READ));
    const none = 'No pool and no fetcher was at work in this range (venuekit_pool_utilisation_ratio, venuekit_fetch_utilisation_ratio).';
    return { id: 'utilisation', title: utilisationChart.title, grid, series, facts: {}, missing: series.length === 0 ? [none] : [] };
  },
  option(data, look) {
    const rows = fullest(drawn(data)).toReversed();
    const { cells, width } = cellsOf(rows, data.grid);
    const { heat } = look.palette;
    const left = look.width < 480 ? 104 : 150;
    const base = frame(look, { left, bottom: 50 });
    return {
      ...base,
      grid: { ...base.grid, top: 8 },
      ...(look.still
        ? {}
        : {
            tooltip: {
              ...base.tooltip,
              trigger: 'item',
              formatter: ({ value }: { value: Cell }) => `${rows[value[1]]?.name ?? ''}\n${utc(value[0])}\n${format(value[2], 'ratio')}`,
            },
          }),
      xAxis: timeAxis(look, data.grid),
      yAxis: {
        type: 'category',
        data: rows.map(({ name }) => name),
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { color: look.palette.text, fontSize: 11, width: left - 10, overflow: 'truncate' },
      },
      visualMap: {
        type: 'piecewise',
        dimension: 2,
        orient: 'horizontal',
        left: 0,
        bottom: 0,
        itemWidth: 14,
        itemHeight: 10,
        itemGap: look.width < 480 ? 6 : 12,
        hoverLink: false,
        selectedMode: false,
        textStyle: { color: look.palette.text, fontSize: 11 },
        pieces: NAMES.map((label, i) => ({
          label,
          color: heat[i]!,
          ...(i === 0 ? {} : { gte: BOUNDS[i - 1]! }),
          ...(i === BOUNDS.length ? {} : { lt: BOUNDS[i]! }),
        })),
      },
      series: [
        {
          type: 'custom',
          name: 'utilisation',
          data: cells,
          encode: { x: 0, y: 1 },
          clip: true,
          renderItem: (_: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI) => {
            const [t, category] = [Number(api.value(0)), Number(api.value(1))];
            const [x, y] = api.coord([t, category]) as [number, number];
            const [right] = api.coord([t + width, category]) as [number, number];
            const [, bandwidth] = api.size!([0, 1]) as [number, number];
            const height = Math.max(1, bandwidth - 3);
            // Cells overlap by a hair, or the seams between them would shine through.
            const shape = { x, y: y - height / 2, width: Math.max(1, right - x + 0.4), height };
            return { type: 'rect', shape, style: { fill: api.visual('color') as string } };
          },
        },
      ],
    };
  },
  words(data) {
    const rows = drawn(data);
    if (rows.length === 0) return data.missing.join(' ');
    const [top] = fullest(rows);
    const peak = Math.max(...top!.v.map((value) => value ?? 0));
    return `${top!.name} was the fullest: ${format(peak, 'ratio')} at its most, ${format(latest(top!), 'ratio')} at the last.`;
  },
};

type Cell = readonly [t: number, row: number, value: number];

async function highest({ store, signal }: ChartSource, grid: Grid, metric: string, by: RangeQuery['by'] & {}): Promise<readonly RangeResult[]> {
  return store.query({ metric, agg: 'max', by, ...rangeOf(grid) }, signal);
}

function over(part: RangeResult, whole: RangeResult | undefined, grid: Grid): (number | null)[] {
  const places = whole === undefined ? [] : onGrid(whole, grid);
  return onGrid(part, grid).map((value, i) => {
    const most = places[i] ?? null;
    return value === null || most === null || most <= 0 ? null : value / most;
  });
}

function fullest(rows: readonly PlotSeries[], most: number = MOST_ROWS): PlotSeries[] {
  const peak = ({ v }: PlotSeries): number => Math.max(...v.map((value) => value ?? 0));
  return [...rows].sort((a, b) => peak(b) - peak(a) || (a.name < b.name ? -1 : 1)).slice(0, most);
}

// Columns too narrow to be seen are drawn together, by their highest value.
function cellsOf(rows: readonly PlotSeries[], grid: Grid): { readonly cells: Cell[]; readonly width: number } {
  const together = Math.max(1, Math.ceil(grid.columns / MOST_CELLS));
  const cells: Cell[] = [];
  for (const [row, { v }] of rows.entries()) {
    for (let i = 0; i < v.length; i += together) {
      const values = v.slice(i, i + together).filter((value) => value !== null);
      if (values.length > 0) cells.push([columnTime(grid, i), row, Math.max(...values)]);
    }
  }
  return { cells, width: together * grid.stepMs };
}
