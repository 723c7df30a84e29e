import type { Tinypool } from 'tinypool';
import { closedError } from '../../core/errors.js';
import type { Explanation } from '../charts/selected-series.js';
import type { DashboardAssets } from '../server/assets.js';
import type { ExplainTask } from '../view/explain.js';
import type { TextDocument } from './document.js';
import { jsonReport } from './json-report.js';
import type { Fonts } from './pdf-report.js';
import type { ReportData } from './report-data.js';
import type { ReportFormat } from './report-format.js';
import type { StillTask } from './still.js';
import type { WorkerTask } from './worker.js';

/** A thread with nothing to do ends after this: whoever comes back soon does not wait for another to begin. */
const IDLE_THREAD_MS = 600_000;

/** Draws on a thread of its own: 1.5 s of drawing are nothing that a bot's loop can spare. */
export class Renderer implements AsyncDisposable {
  readonly #assets: DashboardAssets;
  #pool: Promise<Tinypool> | undefined;
  #closed = false;

  constructor(assets: DashboardAssets) {
    this.#assets = assets;
  }

  /** @throws VenueKitError `ASSETS_NOT_FOUND` where the package's own files can't be found; `MISSING_PEER` for png without @resvg/resvg-js */
  async render(format: ReportFormat, data: ReportData, signal?: AbortSignal): Promise<Uint8Array> {
    if (format === 'json') return Buffer.from(jsonReport(data));
    return (await this.#run({ do: 'render', format, data, fonts: this.#fonts() }, signal)) as Uint8Array;
  }

  /** A text document as PDF. @throws VenueKitError `ASSETS_NOT_FOUND` */
  async document(document: TextDocument, signal?: AbortSignal): Promise<Uint8Array> {
    return (await this.#run({ do: 'document', document, fonts: this.#fonts() }, signal)) as Uint8Array;
  }

  async explain(task: ExplainTask, signal?: AbortSignal): Promise<Explanation> {
    return (await this.#run({ do: 'explain', task }, signal)) as Explanation;
  }

  /** A chart as SVG, for a page that has not drawn it yet; undefined where it has nothing to show. @throws VenueKitError `ASSETS_NOT_FOUND` */
  async still(task: StillTask): Promise<string | undefined> {
    return (await this.#run({ do: 'still', task }, undefined)) as string | undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await (await this.#pool?.catch(() => undefined))?.destroy();
  }

  #fonts(): Fonts {
    return { regular: this.#assets.path('dashboard-regular.ttf'), medium: this.#assets.path('dashboard-medium.ttf') };
  }

  async #run(task: WorkerTask, signal: AbortSignal | undefined): Promise<unknown> {
    if (this.#closed) throw closedError('The dashboard');
    this.#pool ??= this.#start();
    const pool = await this.#pool;
    return pool.run(task, signal === undefined ? {} : { signal });
  }

  async #start(): Promise<Tinypool> {
    const filename = this.#assets.path('dashboard-worker.js');
    const { Tinypool } = await import('tinypool');
    return new Tinypool({ filename, minThreads: 0, maxThreads: 1, idleTimeout: IDLE_THREAD_MS });
  }
}
