import { analyzeSeries, type SeriesAnalysis, type SeriesTask } from './engine/analyze-series.js';
import { finish } from './steps.js';

/** Runs on a worker thread: analyzes one series without giving way to anybody. */
export default function analyze(task: SeriesTask): SeriesAnalysis {
  return finish(analyzeSeries(task));
}
