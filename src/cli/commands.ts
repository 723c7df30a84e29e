import { analyzeCommand } from './analyze/analyze-command.js';
import { certifyCommand } from './certify/certify-command.js';
import type { Command } from './command.js';
import { dashboardCommand } from './dashboard/dashboard-command.js';
import { reportCommand } from './dashboard/report-command.js';
import { grafanaCommand } from './grafana/grafana-command.js';
import { journalCommand } from './journal/journal-command.js';
import { planCommand } from './plan/plan-command.js';
import { queryCommand } from './query/query-command.js';
import { venueCommand } from './venue/venue-command.js';

/** Every command, in the order in which help lists them. */
export const commands: readonly Command[] = [
  venueCommand,
  journalCommand,
  queryCommand,
  dashboardCommand,
  reportCommand,
  analyzeCommand,
  planCommand,
  certifyCommand,
  grafanaCommand,
];
