import { finish } from '../../analytics/steps.js';
import type { Explanation } from '../charts/selected-series.js';
import { type ExplainTask, explain } from '../view/explain.js';
import type { TextDocument } from './document.js';
import { htmlReport } from './html-report.js';
import type { Fonts } from './pdf-report.js';
import { pngOf } from './png-report.js';
import type { ReportData } from './report-data.js';
import type { ReportFormat } from './report-format.js';
import { sheetSvg } from './sheet-svg.js';
import { type StillTask, stillOf } from './still.js';

/** What the dashboard's thread is asked for. */
export type WorkerTask =
  | { readonly do: 'render'; readonly format: Exclude<ReportFormat, 'json'>; readonly data: ReportData; readonly fonts: Fonts }
  | { readonly do: 'document'; readonly document: TextDocument; readonly fonts: Fonts }
  | { readonly do: 'explain'; readonly task: ExplainTask }
  | { readonly do: 'still'; readonly task: StillTask };

/** Runs on a worker thread: what takes longer than a bot's loop can spare. */
export default async function work(task: WorkerTask): Promise<Uint8Array | Explanation | string | undefined> {
  if (task.do === 'explain') return finish(explain(task.task));
  if (task.do === 'still') return stillOf(task.task);
  // What sets a PDF takes longer to begin than all charts to draw: only who wants one waits for it.
  if (task.do === 'document') return (await import('./pdf-document.js')).pdfDocument(task.document, task.fonts);
  const { format, data, fonts } = task;
  if (format === 'pdf') return (await import('./pdf-report.js')).pdfReport(data, fonts);
  if (format === 'html') return Buffer.from(htmlReport(data));
  const svg = sheetSvg(data);
  return format === 'png' ? pngOf(svg, fonts) : Buffer.from(svg);
}
