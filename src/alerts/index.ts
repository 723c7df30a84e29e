export type {
  AlertActionRecord,
  AlertEvent,
  AlertGroup,
  AlertInstance,
  AlertState,
  AlertStateStore,
  AlertTick,
  MarketCalendar,
  Notifier,
  Severity,
  Silence,
} from '../contracts/alerts.js';
export type { ActionContext, AlertAction } from './actions/action-runner.js';
export { AlertEngine } from './alert-engine.js';
export type { BacktestOptions } from './backtest.js';
export type { AnomalyDetector } from './conditions/anomaly-condition.js';
export type { AlertEngineOptions } from './engine-options.js';
export { type MarketHours, type MarketSession, marketCalendar } from './market-hours.js';
export { type AlertmanagerOptions, alertmanagerNotifier } from './notify/alertmanager-notifier.js';
export type { Fetch } from './notify/post-json.js';
export { type SlackOptions, slackNotifier } from './notify/slack-notifier.js';
export { verifyWebhook, type WebhookOptions, webhookNotifier } from './notify/webhook-notifier.js';
export type {
  AbsentRule,
  ActionRef,
  AlertRule,
  AnomalyRule,
  BurnRateRule,
  BurnWindow,
  CustomReading,
  CustomRule,
  RateOfChangeRule,
  RuleBase,
  ThresholdRule,
} from './rules/rule.js';
export { RuleError, type RuleIssue } from './rules/rule-error.js';
export { labelOverflowRule, type StandardRulesOptions, standardRules } from './rules/standard-rules.js';
export type { PrometheusExport } from './to-prometheus.js';
