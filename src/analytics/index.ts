export { AnalyticsEngine, type AnalyticsEngineOptions, type AnalyzeOptions } from './analytics-engine.js';
export { type ChangePointOptions, changePoints } from './change-points.js';
export type { TimeRange } from './engine/collect.js';
export type { Component } from './engine/measure.js';
export type { Objectives } from './engine/objectives.js';
export {
  type AnalyticsReport,
  type Grade,
  type GradePart,
  type Health,
  type Insight,
  REPORT_SCHEMA,
  reportToJson,
  reportToText,
} from './engine/report.js';
export { exponentialSmoothing, type Smoothed, type SmoothingParameters } from './forecasting/exponential-smoothing.js';
export { type ForecastInterval, type ForecastOptions, type ForecastResult, forecast } from './forecasting/forecast.js';
export { detectSeasons } from './forecasting/season.js';
export { contaminationThreshold, IsolationForest, type IsolationForestOptions } from './isolation-forest.js';
export { type MannKendall, type MannKendallOptions, mannKendall, type TrendMethod } from './mann-kendall.js';
export type { Rows } from './rows.js';
export type { Series } from './series.js';
export type { Anomaly, AnomalyOptions } from './series-anomalies.js';
export type { Forecast, SeriesForecastOptions } from './series-forecast.js';
export type { Trend, TrendOptions } from './series-trend.js';
export { DEFAULT_ANOMALY_THRESHOLD, StreamingDetector, type StreamingDetectorOptions, type StreamingScore } from './streaming-detector.js';
export { type Summary, summarize } from './summary.js';
export { type TheilSen, theilSen } from './theil-sen.js';
