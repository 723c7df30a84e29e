import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts';
import type { AlertEvent, AlertInstance } from '../../contracts/alerts.js';
import { ACTIONS_METRIC, actionKinds, actionMarks, actionsInWords, readActions } from './alert-actions.js';
import type { AlertSpan, ChartDefinition } from './chart.js';
import { utc } from './format.js';
import { gridOf } from './grid.js';
import type { Palette } from './look.js';
import { frame, timeAxis } from './option-parts.js';

const MOST_ROWS = 8;
const MOST_SPANS = 400;
/** What was so long before the range may still last in it. */
const BEFORE_MS = 24 * 3_600_000;

export const alertsChart: ChartDefinition = {
  id: 'alerts',
  title: 'Alerts and actions',
  how: `Changes of alerts, and the audit of what they had done, as the store kept them; where there is no audit, the rises of ${ACTIONS_METRIC}.`,
  // Always whole: a stretch that began before the tail of a picture is part of it.
  async read(source, tail) {
    const { alertEvents, pictureFrom } = source;
    const grid = gridOf(Math.min(pictureFrom, tail.from), tail.to, tail.stepMs);
    const [events, actions] = await Promise.all([alertEvents({ from: grid.from - BEFORE_MS, to: grid.to }), readActions(source, grid)]);
    const spans = spansOf(events).filter(({ to = Infinity }) => to >= grid.from);
    const missing = spans.length === 0 && actions.length === 0 ? ['No alert was pending or firing in this range.'] : [];
    return { id: 'alerts', title: alertsChart.title, grid, series: [], facts: {}, missing, spans: spans.slice(-MOST_SPANS), actions };
  },
  option(data, look) {
    const { palette } = look;
    const { grid, spans = [], actions = [] } = data;
    const rows = rowsOf(spans).slice(0, MOST_ROWS);
    const names = [...rows.map(({ name }) => name), ...(actions.length > 0 ? ['Actions'] : [])].toReversed();
    const indexOf = (name: string): number => names.indexOf(name);
    const shown = spans.filter((span) => indexOf(nameOf(span)) >= 0);
    const states = [...new Set(shown.map(kindOf))].sort();
    const kinds = actionKinds(actions);
    const legend = [...states.map((name) => ({ name, icon: 'roundRect' })), ...kinds.map((name) => ({ name, icon: 'diamond' }))];
    const base = frame(look, { legend, left: 8, right: 8 });
    return {
      ...base,
      ...(look.still ? {} : { tooltip: { ...base.tooltip, trigger: 'item', formatter: ({ name }: { name: string }) => name } }),
      xAxis: timeAxis(look, grid),
      yAxis: {
        type: 'category',
        data: names,
        axisLabel: { show: false },
        axisLine: { show: false },
        axisTick: { show: false },
        splitLine: { show: true, lineStyle: { color: palette.grid } },
      },
      series: [
        ...states.map((state) => ({
          type: 'custom',
          name: state,
          itemStyle: { color: colourOf(state, palette) },
          clip: true,
          encode: { x: [0, 1], y: 2 },
          data: shown
            .filter((span) => kindOf(span) === state)
            .map((span) => ({
              name: `${nameOf(span)}\n${span.state} from ${utc(span.from)}${span.to === undefined ? ', still' : ` to ${utc(span.to)}`}`,
              value: [Math.max(span.from, grid.from), Math.min(span.to ?? grid.to, grid.to), indexOf(nameOf(span))],
            })),
          renderItem: bar(colourOf(state, palette)),
        })),
        ...kinds.map((kind) => actionMarks(kind, actions, indexOf('Actions'), palette)),
        // The name of a row stands above its bar, over the whole width: a long one is not clipped by a gutter.
        {
          type: 'custom',
          name: 'names',
          silent: true,
          tooltip: { show: false },
          encode: { y: 0 },
          data: names.map((_, i) => [i]),
          renderItem: rowName(names, look.palette, look.font),
        },
      ],
    };
  },
  words(data) {
    const { spans = [], actions = [] } = data;
    if (spans.length + actions.length === 0) return data.missing.join(' ');
    const fired = spans.filter(({ state }) => state === 'firing');
    const open = fired.filter(({ to }) => to === undefined);
    const rules = [...new Set(fired.map(({ rule }) => rule))];
    const firing =
      fired.length === 0
        ? 'No alert fired'
        : `${fired.length} ${fired.length === 1 ? 'time' : 'times'} an alert fired (${rules.join(', ')}), ${open.length} of them still`;
    return `${firing}; ${actionsInWords(actions)}.`;
  },
};

const nameOf = ({ rule, labels }: AlertSpan): string => (labels === '' ? rule : `${rule}  ${labels}`);

/** What a span is coloured by: how bad it is while it fires, else its state. */
const kindOf = ({ state, severity }: AlertSpan): string => (state === 'firing' ? `firing, ${severity}` : state);

function colourOf(kind: string, palette: Palette): string {
  const { critical, warning, info, pending, recovering, other } = palette.fills;
  return { 'firing, critical': critical, 'firing, warning': warning, 'firing, info': info, pending, recovering }[kind] ?? other;
}

function rowsOf(spans: readonly AlertSpan[]): { readonly name: string }[] {
  const latest = new Map<string, number>();
  for (const span of spans) latest.set(nameOf(span), Math.max(latest.get(nameOf(span)) ?? 0, span.to ?? Infinity));
  return [...latest].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([name]) => ({ name }));
}

const bar =
  (fill: string) =>
  (_: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI): object => {
    const [from, y] = api.coord([api.value(0), api.value(2)]) as [number, number];
    const [to] = api.coord([api.value(1), api.value(2)]) as [number, number];
    const [, band] = api.size!([0, 1]) as [number, number];
    const height = Math.min(14, Math.max(4, band - 18));
    return {
      type: 'rect',
      shape: { x: from, y: y + Math.min(band / 2 - height - 1, 4), width: Math.max(2, to - from), height, r: 2 },
      style: { fill },
    };
  };

const rowName =
  (names: readonly string[], palette: Palette, font: string) =>
  (params: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI): object => {
    const area = params.coordSys as unknown as { readonly x: number; readonly width: number };
    const [, band] = api.size!([0, 1]) as [number, number];
    const [, y] = api.coord([api.value(0), api.value(0)]) as [number, number];
    return {
      type: 'text',
      style: {
        text: names[Number(api.value(0))] ?? '',
        x: area.x + 2,
        y: y - band / 2 + (band > 34 ? 6 : 3),
        fill: palette.text,
        font: `11px ${font}`,
        width: area.width - 6,
        overflow: 'truncate',
      },
    };
  };

/** The stretches of each alert between its changes. */
export function spansOf(events: readonly AlertEvent[]): AlertSpan[] {
  const spans: AlertSpan[] = [];
  const open = new Map<string, AlertSpan>();
  for (const { at, alert } of [...events].sort((a, b) => a.at - b.at)) {
    const { fingerprint, rule, severity, state } = alert;
    const running = open.get(fingerprint);
    if (running !== undefined) spans.push({ ...running, to: at });
    open.delete(fingerprint);
    if (state !== 'inactive') open.set(fingerprint, { fingerprint, rule, severity, labels: labelsInWords(alert), state, from: at });
  }
  return [...spans, ...open.values()].sort((a, b) => a.from - b.from);
}

/** Labels beside the rule's own name: `operation=place venue=binance`. */
export function labelsInWords({ labels, rule }: Pick<AlertInstance, 'labels' | 'rule'>): string {
  return Object.entries(labels)
    .filter(([name, value]) => !(name === 'rule' && value === rule) && name !== 'severity')
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
