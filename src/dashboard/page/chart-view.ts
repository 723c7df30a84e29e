import { actionInWords } from '../charts/alert-actions.js';
import type { ChartData } from '../charts/chart.js';
import { charts } from '../charts/charts.js';
import { format, utc } from '../charts/format.js';
import { columnTime } from '../charts/grid.js';
import { palettes, type Scheme } from '../charts/look.js';
import { latest } from '../charts/option-parts.js';
import { element, setText } from './elements.js';

const FONT = "Roboto, system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";

/** What draws on a canvas: most of the page's code by far, and not needed before there is something to draw. */
export type DrawingCode = Pick<typeof import('../drawing/canvas.js'), 'init'>;

/** One chart of the page: its canvas, the same in words, and its figures as a table. */
export class ChartView {
  readonly figure: HTMLElement;
  readonly #page: Document;
  readonly #plot: HTMLElement;
  readonly #words: HTMLElement;
  readonly #values: HTMLDetailsElement;
  #drawing: ReturnType<DrawingCode['init']> | undefined;
  #data: ChartData | undefined;
  #scheme: Scheme = 'light';
  #width = 0;
  #height = 0;
  #isStale = false;
  /** Called when there is something to draw. */
  onStale: () => void = () => {};

  constructor(page: Document, figure: HTMLElement) {
    this.#page = page;
    this.figure = figure;
    this.#plot = figure.querySelector<HTMLElement>('.plot')!;
    this.#words = figure.querySelector<HTMLElement>('.words')!;
    this.#values = figure.querySelector<HTMLDetailsElement>('.values')!;
    this.#values.addEventListener('toggle', () => this.#fillTable());
    // It tells the size too: to ask for it would have the page laid out at once.
    new ResizeObserver((entries) => {
      const { width, height } = entries.at(-1)!.contentRect;
      if (width === this.#width && height === this.#height) return;
      this.#width = width;
      this.#height = height;
      this.#stale();
    }).observe(this.#plot);
  }

  /** Whether what is drawn is no longer what there is to show. */
  get isStale(): boolean {
    return this.#isStale && this.#data !== undefined && this.#width > 0;
  }

  get hasBeenDrawn(): boolean {
    return this.#drawing !== undefined;
  }

  show(data: ChartData, scheme: Scheme): void {
    if (data === this.#data && scheme === this.#scheme) return;
    this.#data = data;
    this.#scheme = scheme;
    setText(this.#words, charts[data.id].words(data));
    if (isEmpty(data)) this.figure.dataset.state = 'empty';
    this.#fillTable();
    this.#stale();
  }

  /** Whether the page came with a picture of it, which is seen until it is drawn. */
  get isStill(): boolean {
    return this.figure.dataset.state === 'still';
  }

  draw({ init }: DrawingCode): void {
    const data = this.#data!;
    const [width, height] = [this.#width, this.#height];
    this.#isStale = false;
    const look = { palette: palettes[this.#scheme], width, height, still: false, font: FONT };
    // It takes the place of a still.
    this.#drawing ??= init(this.#plot, null, { renderer: 'canvas', width, height });
    if (this.#drawing.getWidth() !== width || this.#drawing.getHeight() !== height) this.#drawing.resize({ width, height });
    this.#drawing.setOption(charts[data.id].option(data, look), { notMerge: true });
    // In this frame, not in the next.
    this.#drawing.getZr().flush();
    if (!isEmpty(data)) this.figure.dataset.state = 'drawn';
  }

  #stale(): void {
    this.#isStale = true;
    this.onStale();
  }

  #fillTable(): void {
    // Where it is folded nobody sees it, and it has many cells.
    if (this.#data === undefined || !this.#values.open) return;
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
