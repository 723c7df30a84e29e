export type { KindTuning, KitTuning, PoolTuning } from '../contracts/kit-tuning.js';
export { TUNING_SCHEMA } from '../contracts/kit-tuning.js';
export { AnalyzerError, type AnalyzerErrorCode } from './analyzer-errors.js';
export type { Area, Change, Effort, Estimate, Finding } from './detectors/detector.js';
export { type ComponentReport, DEFAULT_OBJECTIVES, type Objectives } from './measures/components.js';
export type { ComponentName } from './measures/measurements.js';
export {
  PERFORMANCE_SCHEMA,
  PerformanceAnalyzer,
  type PerformanceAnalyzerOptions,
  type PerformanceOptions,
  type PerformanceReport,
} from './performance-analyzer.js';
export { type AppliedPlan, applyPlan, type TuningFile } from './plan/apply-plan.js';
export type { Opportunity, Target } from './plan/plan.js';
export { probeKit } from './probe/probe-kit.js';
export type { ProbedKit, ProbeOptions } from './probe/probe-options.js';
export { performanceToText } from './report-to-text.js';
export { readTrace } from './trace/read-trace.js';
export type { Trace, TracedCall, TracedLoad, TracedLoan, TracedRead, TracedTask, TracedValue, TraceHeader } from './trace/trace.js';
export { TraceError, type TraceErrorCode } from './trace/trace-error.js';
export { TraceRecorder, type TraceRecorderOptions } from './trace/trace-recorder.js';
