import { CanvasRenderer } from 'echarts/renderers';
import { actionInWords } from '../charts/alert-actions.js';
import type { ChartData } from '../charts/chart.js';
import { charts } from '../charts/charts.js';
import { format, utc } from '../charts/format.js';
import { columnTime } from '../charts/grid.js';
import { palettes, type Scheme } from '../charts/look.js';
import { latest } from '../charts/option-parts.js';
import { init, use } from '../drawing/echarts.js';
import { element, setText } from './elements.js';

use([CanvasRenderer]);

const FONT = "Roboto, system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";

/** One chart of the page: its canvas, the same in words, and its figures as a table. */
export class ChartView {
  readonly #page: Document;
  readonly #figure: HTMLElement;
  readonly #plot: HTMLElement;
  readonly #words: HTMLElement;
  readonly #values: HTMLDetailsElement;
  readonly #drawing;
  #data: ChartData | undefined;
  #scheme: Scheme = 'light';

  constructor(page: Document, figure: HTMLElement) {
    this.#page = page;
    this.#figure = figure;
    this.#plot = figure.querySelector<HTMLElement>('.plot')!;
    this.#words = figure.querySelector<HTMLElement>('.words')!;
    this.#values = figure.querySelector<HTMLDetailsElement>('.values')!;
    this.#drawing = init(this.#plot, null, { renderer: 'canvas' });
    new ResizeObserver(() => {
      this.#drawing.resize();
      this.#draw();
    }).observe(this.#plot);
  }

  show(data: ChartData, scheme: Scheme): void {
    const isSame = data === this.#data && scheme === this.#scheme;
    this.#data = data;
    this.#scheme = scheme;
    if (isSame) return;
    setText(this.#words, charts[data.id].words(data));
    this.#figure.dataset.state = isEmpty(data) ? 'empty' : 'drawn';
    this.#fillTable();
    this.#draw();
  }

  #draw(): void {
    const data = this.#data;
    const [width, height] = [this.#plot.clientWidth, this.#plot.clientHeight];
    if (data === undefined || width === 0) return;
    const look = { palette: palettes[this.#scheme], width, height, still: false, font: FONT };
    this.#drawing.setOption(charts[data.id].option(data, look), { notMerge: true });
  }

  #fillTable(): void {
    if (this.#data === undefined) return;
    const rows = tableRows(this.#data);
    const table = this.#values.querySelector('table')!;
    table.replaceChildren(
      ...rows.map((cells, i) => {
        const row = element(this.#page, 'tr');
        row.append(
          ...cells.map((text, column) => {
            const cell = element(this.#page, i === 0 || column === 0 ? 'th' : 'td', text);
            if (i === 0 || column === 0) cell.setAttribute('scope', i === 0 ? 'col' : 'row');
            return cell;
          }),
        );
        return row;
      }),
    );
  }
}

const isEmpty = ({ series, spans = [], actions = [] }: ChartData): boolean => series.length + spans.length + actions.length === 0;

const MOST_ROWS = 40;

/** What a chart shows, in figures. */
export function tableRows({ id, series, grid, spans = [], actions = [] }: ChartData): readonly (readonly string[])[] {
  if (id === 'alerts') {
    return [
      ['what', 'state', 'from', 'to'],
      ...[
        ...spans.map(({ rule, labels, state, severity, from, to }) => ({
          at: from,
          cells: [`${rule} ${labels}`.trim(), `${state} (${severity})`, utc(from), to === undefined ? 'still' : utc(to)],
        })),
        ...actions.map((mark) => ({ at: mark.t, cells: [`action ${actionInWords(mark)}`, mark.outcome, utc(mark.t), '–'] })),
      ]
        .sort((a, b) => b.at - a.at)
        .map(({ cells }) => cells),
    ].slice(0, MOST_ROWS);
  }
  return [
    ['series', 'last', 'mean', 'least', 'most', 'columns', 'last at'],
    ...series.slice(0, MOST_ROWS).map((one) => {
      const values = one.v.filter((value) => value !== null);
      const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
      const figures =
        values.length === 0 ? [undefined, undefined, undefined, undefined] : [latest(one), mean, Math.min(...values), Math.max(...values)];
      const at = one.v.findLastIndex((value) => value !== null);
      return [one.name, ...figures.map((value) => format(value, one.unit)), String(values.length), at < 0 ? '–' : utc(columnTime(grid, at))];
    }),
  ];
}
