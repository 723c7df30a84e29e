import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { QueryBuilder as AlertQueryBuilder, RuleBuilder, RuleGroupBuilder } from '@grafana/grafana-foundation-sdk/alerting';
import { VizLegendOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { type AlertRule, labelOverflowRule, standardRules } from '../src/alerts/index.js';
import { toPrometheus } from '../src/alerts/to-prometheus.js';
import { toPromQL } from '../src/query/index.js';
import { type Panel, ROWS } from './grafana/panels.js';

/**
 * Writes what `venuekit grafana` prints, with Grafana's own SDK: the package ships the result, and not the SDK. With `--check` it only
 * compares, and fails where the files are not what the code says.
 */
const fileOf = (name: string): string => fileURLToPath(new URL(`../src/cli/grafana/${name}.json`, import.meta.url));
const SOURCE = { type: 'prometheus', uid: '$' + '{datasource}' };
/** Grafana has the user choose a data source for a file that says so; an alert rule has no variable, so that the text is to be replaced. */
const ALERT_SOURCE = 'PROMETHEUS_DATASOURCE_UID';
const WIDTH = 24;

/** The dashboard, as Grafana imports it. */
export function grafanaDashboard(): object {
  const builder = new DashboardBuilder('venuekit')
    .uid('venuekit')
    .description('What the metrics of venuekit say, by job and instance of Prometheus. Made by `npx venuekit grafana`.')
    .tags(['venuekit'])
    .editable()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-1h', to: 'now' })
    .refresh('10s')
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(variable('job', 'Job', 'label_values(venuekit_process_uptime_seconds, job)'))
    .withVariable(variable('instance', 'Instance', 'label_values(venuekit_process_uptime_seconds{job=~"$job"}, instance)'));
  for (const { title, panels } of ROWS) {
    builder.withRow(new RowBuilder(title));
    for (const panel of panels) builder.withPanel(panelOf(panel));
  }
  return builder.build();
}

function variable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .query(query)
    .datasource(SOURCE)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .includeAll(true)
    .allValue('.*')
    .multi(true);
}

function panelOf({ title, help, unit, queries, kind, width = 8, max }: Panel): TimeseriesBuilder | StatBuilder {
  const panel =
    kind === 'stat'
      ? new StatBuilder().height(4)
      : new TimeseriesBuilder().height(8).fillOpacity(8).legend(new VizLegendOptionsBuilder().showLegend(true));
  panel.title(title).description(help).unit(unit).datasource(SOURCE).span(Math.min(width, WIDTH)).min(0);
  if (max !== undefined) panel.max(max);
  for (const [i, [legend, expr]] of queries.entries()) {
    const query = new DataqueryBuilder()
      .refId(String.fromCharCode(65 + i))
      .expr(promql(expr))
      .legendFormat(legend)
      .datasource(SOURCE);
    panel.withTarget(kind === 'stat' ? query.instant() : query.range());
  }
  return panel;
}

/** Written in venuekit's own language, so that the tests know every metric and label in it; `[1m]` is as wide as the picture needs. */
function promql(expr: string): string {
  const { promql: text, unsupported } = toPromQL(expr);
  if (unsupported.length > 0) throw new Error(`${expr} can't be said in PromQL: ${unsupported.join('; ')}`);
  return text.replaceAll('[1m]', '[$__rate_interval]').replaceAll('"ANY_JOB"', '~"$job"').replaceAll('"ANY_INSTANCE"', '~"$instance"');
}

/** The standard rules as a group of Grafana's own alerting; what they clear at, and for how long they keep firing, has no place there. */
export function grafanaAlertRules(): object {
  const group = new RuleGroupBuilder('venuekit').folderUid('venuekit').interval(10);
  for (const rule of [...standardRules(), labelOverflowRule()]) {
    const { id, severity, summary, forMs = 0 } = rule;
    group.withRule(
      new RuleBuilder(`${id} (${severity})`)
        .uid(`venuekit-${id}-${severity}`)
        .folderUID('venuekit')
        .ruleGroup('venuekit')
        .orgID(1)
        .condition('A')
        .withQuery(
          new AlertQueryBuilder('A')
            .datasourceUid(ALERT_SOURCE)
            .relativeTimeRange({ from: 7_200, to: 0 })
            .model(new DataqueryBuilder().refId('A').expr(firingOf(rule)).instant()),
        )
        .forDuration(`${forMs / 1_000}s`)
        // A comparison that holds for no series gives none: that is no alert.
        .noDataState('OK')
        .execErrState('Error')
        .labels({ severity })
        .annotations({ summary }),
    );
  }
  return group.build();
}

/** A series for each that fires, with the value 1: Grafana fires for what is not 0, and a condition may well hold at 0. */
function firingOf(rule: AlertRule): string {
  const { clear: _, ...without } = rule as AlertRule & { readonly clear?: number };
  const { yaml } = toPrometheus([without as AlertRule]);
  const text = /^ +expr: (".*")$/m.exec(yaml)?.[1];
  if (text === undefined) throw new Error(`rule ${rule.id} can't be said in PromQL`);
  return `((${JSON.parse(text) as string}) * 0) + 1`;
}

/** Both files as they should be. */
export function grafanaFiles(): Readonly<Record<'dashboard' | 'alert-rules', string>> {
  const textOf = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
  return { dashboard: textOf(grafanaDashboard()), 'alert-rules': textOf(grafanaAlertRules()) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(grafanaFiles())) {
    if (!process.argv.includes('--check')) writeFileSync(fileOf(name), text);
    else if (readFileSync(fileOf(name), 'utf8') !== text) {
      console.error(`src/cli/grafana/${name}.json is not what the code says: run \`npx tsx scripts/grafana-dashboard.ts\` and commit it.`);
      process.exitCode = 1;
    }
  }
}
