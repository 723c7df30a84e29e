import { utc } from '../charts/format.js';
import type { Scheme } from '../charts/look.js';
import { DEFAULT_SERIES } from '../charts/selected-series.js';
import type { Snapshot } from '../view/snapshot.js';
import { ChartView } from './chart-view.js';
import { DrawingQueue } from './drawing-queue.js';
import { byId, element, setText } from './elements.js';
import { firstSnapshot } from './first-look.js';
import { LiveStream, type StreamState } from './live-stream.js';
import { SeriesPicker } from './series-picker.js';
import { StripView } from './strip-view.js';

const SCHEME_KEY = 'venuekit-dashboard-scheme';

/** The page: what it shows is decided by its controls, and comes over one stream. */
export function dashboardPage(page: Document): void {
  hideToken(page);
  const root = page.documentElement;
  const status = byId(page, 'status');
  let snapshot: Snapshot | undefined;
  let state: StreamState = 'connecting';
  let isPaused = false;
  /** What draws could not be loaded: figures and words are there all the same. */
  let isWithoutDrawings = false;
  let scheme = preferredScheme(page);

  const show = (): void => {
    root.dataset.state = isPaused ? 'paused' : state;
    if (snapshot === undefined) return;
    for (const chart of snapshot.charts) views.get(chart.id)?.show(chart, scheme);
    strip.show(snapshot);
  };
  const say = (): void => {
    const at = snapshot === undefined ? '' : utc(snapshot.at);
    const texts: Readonly<Record<StreamState, string>> = {
      connecting: 'connecting',
      live: snapshot === undefined ? 'connected, reading' : `live, as of ${at}`,
      lost: `connection lost${at === '' ? '' : `, as of ${at}`}; trying again`,
      refused: 'refused: the token is not right any more, the range can\u2019t be read, or too many pages are open; trying again',
    };
    // The status is read out when it changes in kind, the time beside it only when asked for.
    status.setAttribute('aria-live', state === 'live' ? 'off' : 'polite');
    const text = isPaused ? `paused, as of ${root.dataset.shownAt ?? ''}` : texts[state];
    setText(status, isWithoutDrawings ? `${text}; the charts can\u2019t be drawn, since their code did not load: reload the page` : text);
  };
  const refresh = (): void => {
    if (!isPaused) {
      show();
      if (snapshot !== undefined) {
        root.dataset.at = String(snapshot.at);
        root.dataset.shownAt = utc(snapshot.at);
      }
    }
    say();
  };

  const stream = new LiveStream({
    onSnapshot: (next) => {
      snapshot = next;
      refresh();
      void picker.load();
    },
    onState: (next) => {
      state = next;
      root.dataset.state = isPaused ? 'paused' : state;
      say();
    },
  });

  const controls = viewControls(page, () => open());
  const picker = new SeriesPicker(page, DEFAULT_SERIES, () => open());
  const open = (): void => {
    const query = controls();
    if (query === undefined) return;
    for (const link of page.querySelectorAll<HTMLAnchorElement>('a[data-format]'))
      link.href = `report?format=${link.dataset.format}&${query.toString()}`;
    const first = firstSnapshot(page, query);
    query.set('metric', picker.value);
    snapshot = undefined;
    stream.open(query, first);
  };
  open();
  // The first snapshot is on its way meanwhile.
  const views = new Map(
    [...page.querySelectorAll<HTMLElement>('figure[data-chart]')].map((figure) => [figure.dataset.chart, new ChartView(page, figure)]),
  );
  const queue = new DrawingQueue(page, [...views.values()]);
  void draw(page, queue, [...views.values()]).catch(() => {
    isWithoutDrawings = true;
    say();
  });
  const strip = new StripView(page);
  // A page that was gone back to is as it was; its stream is not.
  page.defaultView?.addEventListener('pageshow', (event) => {
    if (event.persisted) open();
  });

  const pause = byId(page, 'pause');
  pause.addEventListener('click', () => {
    isPaused = !isPaused;
    pause.setAttribute('aria-pressed', String(isPaused));
    refresh();
    root.dataset.state = isPaused ? 'paused' : state;
  });

  const dark = byId(page, 'scheme');
  const applyScheme = (): void => {
    root.dataset.scheme = scheme;
    dark.setAttribute('aria-pressed', String(scheme === 'dark'));
    // Also while paused: the picture stays, its colours change.
    if (snapshot !== undefined) for (const chart of snapshot.charts) views.get(chart.id)?.show(chart, scheme);
  };
  dark.addEventListener('click', () => {
    scheme = scheme === 'dark' ? 'light' : 'dark';
    remember(page, scheme);
    applyScheme();
  });
  applyScheme();
}

/** What the page came with is shown first: to read and to run the code that draws takes from the same processors. */
async function draw(page: Document, queue: DrawingQueue, views: readonly ChartView[]): Promise<void> {
  if (views.some((view) => view.isStill)) await shown(page);
  const { init } = await import('../drawing/canvas.js');
  queue.begin({ init });
}

/** Resolves in the frame after the next. A page that nobody looks at has none. */
function shown(page: Document): Promise<void> {
  const view = page.defaultView!;
  return new Promise((resolve) => {
    if (page.hidden) resolve();
    else view.requestAnimationFrame(() => view.requestAnimationFrame(() => resolve()));
  });
}

// The cookie has taken over: an address that is copied or seen over a shoulder lets nobody in.
function hideToken(page: Document): void {
  const address = new URL(page.location.href);
  if (!address.searchParams.has('token')) return;
  address.searchParams.delete('token');
  page.defaultView?.history.replaceState(null, '', address);
}

function preferredScheme(page: Document): Scheme {
  try {
    const kept = page.defaultView?.localStorage.getItem(SCHEME_KEY);
    if (kept === 'light' || kept === 'dark') return kept;
  } catch {
    // A browser that keeps nothing goes by the system alone.
  }
  return systemScheme(page);
}

const systemScheme = (page: Document): Scheme => (page.defaultView?.matchMedia('(prefers-color-scheme: dark)').matches === true ? 'dark' : 'light');

function remember(page: Document, scheme: Scheme): void {
  try {
    page.defaultView?.localStorage.setItem(SCHEME_KEY, scheme);
  } catch {
    // The same.
  }
}

/** Reads the range from the controls; undefined while a fixed one is not complete. The address may begin with one. */
function viewControls(page: Document, onChange: () => void): () => URLSearchParams | undefined {
  const range = byId(page, 'range') as HTMLSelectElement;
  const fixed = byId(page, 'fixed');
  const [from, to] = [byId(page, 'from') as HTMLInputElement, byId(page, 'to') as HTMLInputElement];
  const asked = new URLSearchParams(page.location.search);
  if (asked.has('from') && asked.has('to')) {
    range.value = 'fixed';
    from.value = inputTime(Number(asked.get('from')));
    to.value = inputTime(Number(asked.get('to')));
  } else if (asked.has('range')) {
    const given = asked.get('range')!;
    if (![...range.options].some(({ value }) => value === given)) {
      const other = element(page, 'option', `last ${Math.round(Number(given) / 1000)} s`);
      other.value = given;
      range.prepend(other);
    }
    range.value = given;
  }
  const showFixed = (): void => {
    fixed.hidden = range.value !== 'fixed';
  };
  range.addEventListener('change', () => {
    showFixed();
    if (range.value === 'fixed' && from.value === '') {
      const now = Date.parse(new Date(page.lastModified).toISOString());
      from.value = inputTime(now - 3_600_000);
      to.value = inputTime(now);
    }
    onChange();
  });
  for (const input of [from, to]) input.addEventListener('change', onChange);
  byId(page, 'controls').addEventListener('submit', (event) => event.preventDefault());
  showFixed();
  return () => {
    if (range.value !== 'fixed') return new URLSearchParams({ range: range.value });
    const [start, end] = [Date.parse(`${from.value}Z`), Date.parse(`${to.value}Z`)];
    return start < end ? new URLSearchParams({ from: String(start), to: String(end) }) : undefined;
  };
}

const inputTime = (t: number): string => (Number.isFinite(t) ? new Date(t).toISOString().slice(0, 19) : '');
