export type { Objectives } from '../analytics/engine/objectives.js';
export { createDashboard, type Dashboard, type DashboardOptions, type ListenOptions, type RenderOptions } from './create-dashboard.js';
export { REPORT_JSON_SCHEMA } from './report/report-data.js';
export type { ReportFormat } from './report/report-format.js';
export type { AlertEngineShape } from './view/alert-source.js';
