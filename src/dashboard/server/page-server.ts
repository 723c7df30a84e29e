import type { Clock } from '../../core/clock.js';
import { asError, isVenueKitError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { REPORT_FORMATS, type ReportFormat } from '../report/report-format.js';
import type { StillSize, StillTask } from '../report/still.js';
import type { AlertEngineShape } from '../view/alert-source.js';
import type { DashboardReader } from '../view/reader.js';
import type { Snapshot } from '../view/snapshot.js';
import { DEFAULT_RANGE_MS, openingView, type View, viewKey, viewOf } from '../view/view.js';
import type { Access, Visit } from './access.js';
import { type Answer, type PageRequest, refusal } from './answer.js';
import type { DashboardAssets } from './assets.js';
import { LiveChannel } from './live-channel.js';
import { OpeningStills, type Stills } from './opening-stills.js';
import { PageFiles } from './page-files.js';
import { OFFERED_RANGES, pageHtml } from './page-html.js';

/** What a {@link PageServer} works with. */
export interface PageServerOptions {
  readonly title: string;
  readonly access: Access;
  readonly assets: DashboardAssets;
  readonly reader: DashboardReader;
  readonly alerts: AlertEngineShape | undefined;
  readonly clock: Clock;
  readonly logger: Logger | undefined;
  readonly still: (task: StillTask) => Promise<string | undefined>;
  readonly render: (format: ReportFormat, range: { readonly from: number; readonly to: number }, signal: AbortSignal) => Promise<Uint8Array>;
}

type Route = (request: PageRequest) => Promise<Answer> | Answer;

const MOST_VIEWS = 32;
const MOST_PAGES = 200;
const MOST_RENDERINGS = 4;
const LONGEST_SILENCE_MS = 7 * 86_400_000;
/** Longer ranges are read when somebody asks for them: a week of them takes the store seconds. */
const LONGEST_KEPT_MS = 86_400_000;
const TYPES: Readonly<Record<ReportFormat, string>> = {
  svg: 'image/svg+xml',
  png: 'image/png',
  html: 'text/html; charset=utf-8',
  json: 'application/json',
  pdf: 'application/pdf',
};

/** Answers the requests of pages. It knows its routes by the last part of their path, wherever it is mounted. */
export class PageServer implements Disposable {
  readonly #options: PageServerOptions;
  readonly #channels = new Map<string, LiveChannel>();
  readonly #files: PageFiles;
  readonly #stills: OpeningStills;
  readonly #routes: Readonly<Record<string, Readonly<Record<string, Route>>>>;
  #rendering = 0;
  #isClosed = false;
  readonly #over = new AbortController();
  /** Keys of the views that are read and drawn before anybody asks. */
  #kept: ReadonlySet<string> = new Set();

  constructor(options: PageServerOptions) {
    this.#options = options;
    this.#files = new PageFiles(options.assets);
    this.#stills = new OpeningStills(options.still);
    this.#routes = {
      '': { GET: (request) => this.#page(request) },
      'page.js': { GET: (request) => this.#files.answer('dashboard-page.js', request) },
      'canvas.js': { GET: (request) => this.#files.answer('dashboard-canvas.js', request) },
      'page.css': { GET: (request) => this.#files.answer('dashboard-page.css', request) },
      snapshot: { GET: (request) => this.#first(request) },
      events: { GET: (request) => this.#events(request) },
      series: { GET: (request) => this.#series(request) },
      report: { GET: (request) => this.#report(request) },
      silence: { POST: (request) => this.#silence(request) },
    };
  }

  /** Host, token and, where something changes, origin come first: who may not look learns nothing of what is there. */
  readonly answer = async (request: PageRequest): Promise<Answer> => {
    const { access } = this.#options;
    const visit = visitOf(request);
    if (!access.knowsHost(visit))
      return refusal(421, 'This dashboard is not served under that name. Names beside localhost are given as createDashboard({ hosts: [...] }).');
    if (!access.knowsToken(visit))
      return refusal(401, 'This dashboard needs its token: open the address that was printed, or append ?token=...', {
        'www-authenticate': 'Bearer',
      });
    if (this.#isClosed) return refusal(503, 'The dashboard is closed.');
    const { pathname, search } = request.url;
    const last = pathname.slice(pathname.lastIndexOf('/') + 1);
    const methods = Object.hasOwn(this.#routes, last) ? this.#routes[last] : undefined;
    if (methods === undefined) {
      // Mounted at /x and asked for as /x: relative links need the slash. What looks like a scheme must not become one.
      if (request.method === 'GET' && !last.includes('.') && isMount(request))
        return { status: 308, headers: { location: `./${last}/${search}` }, body: '' };
      return refusal(404, 'There is nothing here.');
    }
    const route = methods[request.method === 'HEAD' ? 'GET' : request.method];
    if (route === undefined) return refusal(405, `Use ${Object.keys(methods).join(', ')}.`, { allow: Object.keys(methods).join(', ') });
    if (request.method === 'POST' && !access.isOwnOrigin(visit)) return refusal(403, 'Changes are taken from the dashboard\u2019s own page only.');
    return route(request);
  };

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#over.abort(new DOMException('The dashboard was closed', 'AbortError'));
    for (const channel of this.#channels.values()) channel[Symbol.dispose]();
    this.#channels.clear();
  }

  /** Pages that watch now. */
  get pages(): number {
    return [...this.#channels.values()].reduce((sum, { size }) => sum + size, 0);
  }

  #page({ url, header }: PageRequest): Answer {
    const { title, access } = this.#options;
    const opening = openingView(url.searchParams);
    const view = readQuery(opening, viewOf);
    // What a page is about to ask for is read while its script is on the way.
    if (!('status' in view)) this.#channelOf(view);
    return {
      status: 200,
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'set-cookie': access.setCookie,
      },
      body: 'status' in view ? pageHtml(title) : pageHtml(title, opening, this.#stillsOf(view, header)),
    };
  }

  #stillsOf(view: View, header: PageRequest['header']): Stills | undefined {
    const isPhone = header('sec-ch-ua-mobile') === '?1' || /\bMobi/.test(header('user-agent') ?? '');
    const size: StillSize = isPhone ? 'narrow' : 'wide';
    return this.#stills.of(viewKey(view), size, this.#options.clock.now());
  }

  /** Reads and draws the views that a page offers, one after the other, the opening one first; from then on they are kept. */
  async keepWarm(): Promise<void> {
    const { logger } = this.#options;
    if (this.#kept.size > 0) return;
    const ranges = OFFERED_RANGES.map(([ms]) => ms).filter((ms) => ms <= LONGEST_KEPT_MS);
    const first = ranges.filter((ms) => ms === DEFAULT_RANGE_MS);
    const views = [...new Set([...first, ...ranges])].map((ms) => viewOf(new URLSearchParams({ range: String(ms) })));
    this.#kept = new Set(views.map(viewKey));
    try {
      for (const view of views) {
        const read = await this.#channelOf(view)?.first(this.#over.signal);
        if (read !== undefined) await this.#stills.offer(viewKey(view), read.snapshot);
      }
    } catch (error) {
      if (!this.#isClosed) logger?.debug({ error: asError(error) }, 'the dashboard could not draw ahead');
    }
  }

  async #first({ url, signal }: PageRequest): Promise<Answer> {
    const first = await this.#read(url.searchParams, signal);
    return 'status' in first ? first : json(first);
  }

  async #read(query: URLSearchParams, signal: AbortSignal): Promise<Answer | { readonly start: number; readonly snapshot: Snapshot }> {
    const view = readQuery(query, viewOf);
    if ('status' in view) return view;
    const channel = this.#channelOf(view);
    if (channel === undefined) return tooManyViews();
    return (await channel.first(signal)) ?? refusal(503, 'The store could not be read; the log of the dashboard says why.', { 'retry-after': '1' });
  }

  #events(request: PageRequest): Answer {
    const { searchParams } = request.url;
    const view = readQuery(searchParams, viewOf);
    if ('status' in view) return view;
    if (this.pages >= MOST_PAGES) return refusal(503, `No more than ${MOST_PAGES} pages may be open.`, { 'retry-after': '10' });
    const channel = this.#channelOf(view);
    if (channel === undefined) return tooManyViews();
    const lastEventId = request.header('last-event-id') ?? searchParams.get('after') ?? undefined;
    return {
      status: 200,
      headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no' },
      stream: (sink) => channel.add(sink, lastEventId),
    };
  }

  /** The channel of a view; undefined where there are too many. */
  #channelOf(view: View): LiveChannel | undefined {
    const key = viewKey(view);
    const known = this.#channels.get(key);
    if (known !== undefined) return known;
    const isKept = this.#kept.has(key);
    if (!isKept && this.#asked >= MOST_VIEWS && !this.#dropIdle()) return undefined;
    const { reader, clock, logger } = this.#options;
    // Who can't be drawn for today draws itself.
    const onRead = (snapshot: Snapshot): void => void (isKept && this.#stills.offer(key, snapshot).catch(() => {}));
    const channel = new LiveChannel({ view, reader, clock, logger, isKept, onRead, onIdle: () => this.#drop(key) });
    this.#channels.set(key, channel);
    return channel;
  }

  /** Views beside those that are kept anyway. */
  get #asked(): number {
    return [...this.#channels.keys()].filter((key) => !this.#kept.has(key)).length;
  }

  #drop(key: string): void {
    this.#channels.get(key)?.[Symbol.dispose]();
    this.#channels.delete(key);
  }

  #dropIdle(): boolean {
    const idle = [...this.#channels].find(([key, { size }]) => size === 0 && !this.#kept.has(key));
    if (idle !== undefined) this.#drop(idle[0]);
    return idle !== undefined;
  }

  async #series({ signal }: PageRequest): Promise<Answer> {
    const names = await this.#options.reader.seriesNames(signal);
    return { status: 200, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body: JSON.stringify(names) };
  }

  async #report({ url, signal }: PageRequest): Promise<Answer> {
    const view = readQuery(url.searchParams, viewOf);
    if ('status' in view) return view;
    const format = (url.searchParams.get('format') ?? 'html') as ReportFormat;
    if (!REPORT_FORMATS.includes(format)) return refusal(400, `format must be one of ${REPORT_FORMATS.join(', ')}.`);
    if (this.#rendering >= MOST_RENDERINGS) return refusal(503, 'Other reports are being made; try again in a moment.', { 'retry-after': '5' });
    const to = view.to ?? this.#options.clock.now();
    this.#rendering++;
    try {
      const body = await this.#options.render(format, { from: to - view.rangeMs, to }, signal);
      const name = `dashboard-${new Date(to).toISOString().slice(0, 19).replaceAll(':', '')}.${format}`;
      // Always a download: what it holds is not for this origin to run.
      return {
        status: 200,
        headers: { 'content-type': TYPES[format], 'cache-control': 'no-store', 'content-disposition': `attachment; filename="${name}"` },
        body,
      };
    } catch (error) {
      if (isVenueKitError(error, 'MISSING_PEER') || isVenueKitError(error, 'ASSETS_NOT_FOUND')) return refusal(501, error.message);
      throw error;
    } finally {
      this.#rendering--;
    }
  }

  #silence({ url }: PageRequest): Answer {
    const { alerts, clock, logger } = this.#options;
    if (alerts === undefined) return refusal(409, 'This dashboard has no alert engine to silence: createDashboard({ alerts }).');
    const fingerprint = url.searchParams.get('fingerprint');
    const minutes = Number(url.searchParams.get('minutes') ?? 60);
    if (!(minutes > 0 && minutes * 60_000 <= LONGEST_SILENCE_MS)) return refusal(400, 'minutes must be above 0 and at most a week.');
    const alert = alerts.instances().find((one) => one.fingerprint === fingerprint);
    if (alert === undefined) return refusal(404, 'There is no such alert; it may be over.');
    const until = clock.now() + minutes * 60_000;
    const id = alerts.silence({
      match: { ...alert.labels, rule: alert.rule },
      until,
      by: 'dashboard',
      comment: `silenced on the dashboard for ${minutes} min`,
    });
    logger?.info({ rule: alert.rule, until, id }, 'an alert was silenced on the dashboard');
    return { status: 200, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body: JSON.stringify({ id, until }) };
  }
}

const tooManyViews = (): Answer => refusal(503, `No more than ${MOST_VIEWS} different views may be open.`, { 'retry-after': '10' });

const json = (value: unknown): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(value),
});

function readQuery<T>(query: URLSearchParams, read: (query: URLSearchParams) => T): T | Answer {
  try {
    return read(query);
  } catch (error) {
    if (error instanceof RangeError) return refusal(400, error.message);
    throw error;
  }
}

function visitOf({ method, url, header, localAddress }: PageRequest): Visit {
  return {
    method,
    host: header('host'),
    origin: header('origin'),
    fetchSite: header('sec-fetch-site'),
    cookie: header('cookie'),
    authorization: header('authorization'),
    token: url.searchParams.get('token') ?? undefined,
    localAddress,
  };
}

// Express says where it mounted us; elsewhere a path with one part more than ours may be the mount.
function isMount({ mountedAt, url }: PageRequest): boolean {
  return mountedAt === undefined || mountedAt === '' ? true : url.pathname === mountedAt;
}
