import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts';
import type { ChartDefinition } from './chart.js';
import { format } from './format.js';
import { dashedEntry, drawn, frame, latest, line, timeAxis, valueAxis } from './option-parts.js';
import { readSelected } from './selected-series.js';

export const metricChart: ChartDefinition = {
  id: 'metric',
  title: 'A metric, its anomalies and its forecast',
  how: 'The selected series; anomalies are points whose surprise exceeds 0.5 for a detector that knows what came before them only; the forecast is the best of several methods in a back-test, with bands that held 80 % and 95 % of the values there.',
  async read({ store, selected, signal }, grid) {
    const v = await readSelected(selected, store, grid, signal);
    const isEmpty = v.every((value) => value === null);
    return {
      id: 'metric',
      title: metricChart.title,
      grid,
      series: isEmpty ? [] : [{ name: selected.id, unit: selected.unit, v }],
      facts: {},
      missing: isEmpty ? [`Nothing was recorded of ${selected.id} in this range.`] : [],
    };
  },
  option(data, look) {
    const [series] = drawn(data);
    const { palette } = look;
    if (series === undefined)
      return { ...frame(look), xAxis: timeAxis(look, data.grid), yAxis: valueAxis(look, 'none', { min: 0, max: 1 }), series: [] };
    const color = palette.series[0]!;
    const { anomalies = [], forecast } = data.explanation ?? {};
    const ahead = forecast === undefined ? [] : forecast.t.map((t, i) => [t, forecast.mean[i]!] as const);
    const until = ahead.at(-1)?.[0];
    // Outermost first: each narrower band is painted over the wider one.
    const bands = [...(ahead.length === 0 ? [] : forecast!.bands)].sort((a, b) => b.level - a.level);
    const named = (level: number): string => `${Math.round(level * 100)} % band`;
    const colourOf = (level: number): string => palette.bands[level > 0.9 ? 1 : 0]!;
    const found = anomalies.filter(({ t }) => t >= data.grid.from && t <= data.grid.to);
    return {
      ...frame(look, {
        legend: [
          { name: 'value' },
          ...(ahead.length === 0 ? [] : [dashedEntry('forecast')]),
          ...bands.toReversed().map(({ level }) => ({ name: named(level), icon: 'roundRect' })),
          ...(found.length === 0 ? [] : [{ name: 'anomaly', icon: 'circle' }]),
        ],
      }),
      xAxis: timeAxis(look, data.grid, until),
      yAxis: valueAxis(look, series.unit, { scale: true }),
      series: [
        ...bands.map(({ level, low, high }) => ({
          type: 'custom',
          name: named(level),
          itemStyle: { color: colourOf(level) },
          // One item for each point, so that the axis reaches as far as the band; the first draws it whole.
          data: forecast!.t.map((t, i) => [t, low[i]!, high[i]!]),
          encode: { x: 0, y: [1, 2] },
          clip: true,
          silent: true,
          tooltip: { show: false },
          renderItem: (params: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI) => {
            if (params.dataIndexInside !== 0) return null;
            const upper = forecast!.t.map((t, i) => api.coord([t, high[i]!]));
            const lower = forecast!.t.map((t, i) => api.coord([t, low[i]!])).reverse();
            return { type: 'polygon', shape: { points: [...upper, ...lower] as [number, number][] }, style: { fill: colourOf(level) } };
          },
        })),
        line({ ...series, name: 'value' }, data.grid, color),
        ...(ahead.length === 0
          ? []
          : [
              {
                type: 'line',
                name: 'forecast',
                data: ahead,
                symbol: ahead.length < 2 ? 'circle' : 'none',
                lineStyle: { width: 1.8, type: 'dashed', color: palette.text },
                itemStyle: { color: palette.text },
                tooltip: { valueFormatter: (value: number | null) => format(value, series.unit) },
              },
            ]),
        ...(found.length === 0
          ? []
          : [
              {
                type: 'scatter',
                name: 'anomaly',
                data: found.map(({ t, value }) => [t, value]),
                symbolSize: 8,
                itemStyle: { color: palette.anomaly, borderColor: palette.surface, borderWidth: 1 },
                tooltip: { valueFormatter: (value: number | null) => format(value, series.unit) },
              },
            ]),
      ],
    };
  },
  words(data) {
    const [series] = drawn(data);
    if (series === undefined) return data.missing.join(' ');
    const last = `${series.name}: ${format(latest(series), series.unit)} at the last.`;
    if (data.explanation === undefined) return [last, ...data.missing].join(' ');
    const { anomalies, forecast } = data.explanation;
    const odd = `${anomalies.length === 0 ? 'No' : anomalies.length} ${anomalies.length === 1 ? 'anomaly' : 'anomalies'}.`;
    const end = forecast.mean.length - 1;
    if (end < 0) return `${last} ${odd} No forecast (${forecast.method}).`;
    const minutes = (forecast.t[end]! - (forecast.t[0]! - (forecast.t[1]! - forecast.t[0]! || 0))) / 60_000;
    const bands = forecast.bands.map(
      ({ level, low, high }) => `${Math.round(level * 100)} %: ${format(low[end], series.unit)} to ${format(high[end], series.unit)}`,
    );
    return `${last} ${odd} Forecast in ${Math.max(1, Math.round(minutes))} min: ${format(forecast.mean[end], series.unit)} (${bands.join('; ')}).`;
  },
};
