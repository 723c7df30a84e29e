import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Objectives, requireObjectives } from '../analytics/engine/objectives.js';
import { AnalyticsEngine } from '../analytics/index.js';
import type { MetricStore } from '../contracts/metric-store.js';
import type { Wiring } from '../contracts/wiring.js';
import { throwIfAborted } from '../core/abort.js';
import { systemClock } from '../core/clock.js';
import { closedError } from '../core/errors.js';
import { requireFunction, requireInteger, requireKnown, requireMethods, requireObject, requireOneOf, requireText } from '../core/options.js';
import { Renderer } from './report/renderer.js';
import type { ReportData } from './report/report-data.js';
import { REPORT_FORMATS, type ReportFormat } from './report/report-format.js';
import { Access, newToken } from './server/access.js';
import { DashboardAssets } from './server/assets.js';
import { fetchHandlerOf, nodeHandlerOf } from './server/handlers.js';
import { ownServer } from './server/own-server.js';
import { PageServer } from './server/page-server.js';
import type { AlertEngineShape } from './view/alert-source.js';
import { DashboardReader } from './view/reader.js';
import { isEpochMs } from './view/view.js';

/** {@link createDashboard} */
export interface DashboardOptions extends Wiring {
  /** What is shown. It stays open when the dashboard is closed. */
  readonly store: MetricStore;
  /** Whose open alerts are shown, and can be silenced. @defaultValue none: alerts are shown as the store has kept them */
  readonly alerts?: AlertEngineShape;
  /** What grades and explains. @defaultValue an engine of its own over the store, with the same objectives */
  readonly analytics?: Pick<AnalyticsEngine, 'analyze'>;
  /** @defaultValue 'venuekit' */
  readonly title?: string;
  /** What lets in. @defaultValue 32 random bytes; `token` of the dashboard tells them */
  readonly token?: string;
  /** Names under which it may be asked for, beside those of the loopback interface. A port is not part of them. @defaultValue [] */
  readonly hosts?: readonly string[];
  /** What budgets and charts are held against. @defaultValue 0.1 % of calls failed, p99 within 500 ms, 80 % of reads from the cache */
  readonly objectives?: Partial<Objectives>;
  /** Folder of the files that are built beside this module (`dist` of the package), for a host that was bundled. */
  readonly assets?: string | URL;
}

/** {@link Dashboard.render} */
export interface RenderOptions {
  readonly format: ReportFormat;
  /** Epoch ms. */
  readonly from: number;
  readonly to: number;
  readonly signal?: AbortSignal;
  /** Called after each series that was analysed: most of the time goes there. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** {@link Dashboard.listen} */
export interface ListenOptions {
  /** @defaultValue '127.0.0.1' */
  readonly host?: string;
  /** @defaultValue 0: any free one */
  readonly port?: number;
}

/** The live page and its report. */
export interface Dashboard extends AsyncDisposable {
  /** For node:http and what is built on it. All links are relative to where it is mounted. */
  readonly nodeHandler: (request: unknown, response: unknown) => void;
  /** For what speaks Request and Response. */
  readonly fetchHandler: (request: Request) => Promise<Response>;
  /** What lets in, for a host that mounts a handler and shows a link of its own. */
  readonly token: string;
  /**
   * Serves on a port of its own until the dashboard is closed.
   * @throws what the port was refused with, such as `EADDRINUSE`
   */
  listen(options?: ListenOptions): Promise<{ readonly url: string }>;
  /**
   * The range as a picture (svg, png), a report (html, pdf) or figures (json), drawn on a worker thread.
   * What is missing is said in it, and the rest drawn.
   * @throws VenueKitError `MISSING_PEER` for png without @resvg/resvg-js; RangeError or TypeError naming the option; the signal's reason
   */
  render(options: RenderOptions): Promise<Uint8Array>;
}

/**
 * A dashboard over a metric store: seven charts under a strip with grade, health, budgets, alerts and
 * insights, live in a browser and still in a file, from the same definitions.
 *
 * It answers nobody without the token, and under no name but those of the loopback interface.
 *
 * @throws TypeError or RangeError naming the option that can't be meant
 * @example
 * await using dashboard = createDashboard({ store, alerts, title: 'Desk 4' });
 * const { url } = await dashboard.listen();
 * await writeFile('report.pdf', await dashboard.render({ format: 'pdf', from, to }));
 */
export function createDashboard(options: DashboardOptions): Dashboard {
  requireKnown('createDashboard', requireObject('options', options), OPTIONS);
  const { store, alerts, title = 'venuekit', token = newToken(), hosts = [], clock = systemClock, logger } = options;
  requireMethods('store', store, ['query']);
  if (alerts !== undefined) requireMethods('alerts', alerts, ['instances', 'silence']);
  if (options.analytics !== undefined) requireMethods('analytics', options.analytics, ['analyze']);
  requireText('title', title);
  if (requireText('token', token).length < SHORT_TOKEN)
    logger?.warn({ characters: token.length }, 'the token of the dashboard is short: it can be tried out');
  for (const host of hosts) requireText('hosts', host);
  const objectives = requireObjectives(options.objectives);
  const assets = new DashboardAssets(options.assets);

  const renderer = new Renderer(assets);
  const analytics = options.analytics ?? new AnalyticsEngine({ clock, store, objectives, ...(logger === undefined ? {} : { logger }) });
  const reader = new DashboardReader({ store, alerts, analytics, objectives, title, explain: (task, signal) => renderer.explain(task, signal) });
  const access = new Access(token, hosts);
  const servers = new Set<Server>();
  let closed: Promise<void> | undefined;
  let latest: { readonly key: string; readonly data: ReportData } | undefined;

  const render = async ({ format, from, to, signal, onProgress }: RenderOptions): Promise<Uint8Array> => {
    if (closed !== undefined) throw closedError('The dashboard');
    throwIfAborted(signal);
    // The formats of one range are asked for one after the other: read and analysed once.
    const key = `${from}/${to}`;
    if (latest?.key === key) return renderer.render(format, latest.data, signal);
    const progress = { ...(signal === undefined ? {} : { signal }), ...(onProgress === undefined ? {} : { onProgress }) };
    const data = await reader.report({ from, to, now: clock.now(), ...progress });
    latest = to <= data.madeAt ? { key, data } : undefined;
    return renderer.render(format, data, signal);
  };
  const pages = new PageServer({
    title,
    access,
    assets,
    reader,
    alerts,
    clock,
    logger,
    still: (task) => renderer.still(task),
    render: (format, range, signal) => render({ format, ...range, signal }),
  });
  const nodeHandler = nodeHandlerOf(pages.answer, logger);

  const close = async (): Promise<void> => {
    pages[Symbol.dispose]();
    await Promise.all([...servers].map(endServer));
    await renderer[Symbol.asyncDispose]();
  };
  return {
    nodeHandler,
    fetchHandler: fetchHandlerOf(pages.answer, logger),
    token,
    async listen(listenOptions = {}) {
      requireKnown('listen', listenOptions, ['host', 'port']);
      const { host = '127.0.0.1', port = 0 } = listenOptions;
      requireText('host', host);
      requireInteger('port', port);
      if (port > 65_535) throw new RangeError(`port must be at most 65535, got ${port}`);
      if (closed !== undefined) throw closedError('The dashboard');
      access.allowHost(host);
      const server = ownServer(nodeHandler);
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, resolve);
      });
      servers.add(server);
      void pages.keepWarm();
      const { port: bound } = server.address() as AddressInfo;
      const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
      return { url: `http://${name}:${bound}/?token=${encodeURIComponent(token)}` };
    },
    async render(renderOptions) {
      requireKnown('render', requireObject('options', renderOptions), ['format', 'from', 'to', 'signal', 'onProgress']);
      const { format, from, to, onProgress } = renderOptions;
      requireOneOf('format', format, REPORT_FORMATS);
      if (!isEpochMs(from)) throw new RangeError(`from must be epoch milliseconds, got ${String(from)}`);
      if (!(isEpochMs(to) && to > from)) throw new RangeError(`to must be epoch milliseconds after from, got ${String(to)}`);
      if (onProgress !== undefined) requireFunction('onProgress', onProgress);
      return render(renderOptions);
    },
    [Symbol.asyncDispose]: () => (closed ??= close()),
  };
}

const OPTIONS = [
  'bus',
  'clock',
  'random',
  'logger',
  'store',
  'alerts',
  'analytics',
  'title',
  'token',
  'hosts',
  'objectives',
  'assets',
] as const satisfies readonly (keyof DashboardOptions)[];
const SHORT_TOKEN = 16;

function endServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
