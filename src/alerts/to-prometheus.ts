import { toPromQL } from '../query/index.js';
import { burnOver, widestFirst } from './conditions/burn-rate-condition.js';
import { absentOver, increaseOver, samplesBehind } from './conditions/rewrite.js';
import { changeThreshold, type Threshold } from './conditions/threshold-condition.js';
import { type AlertRule, ruleName } from './rules/rule.js';
import { EVERY_MS } from './rules/rule-defaults.js';

/** Rules as a rule file of Prometheus. */
export interface PrometheusExport {
  readonly yaml: string;
  /** What the file does not say, in words, each with its rule. */
  readonly unsupported: readonly string[];
}

/** A text of PromQL, and what of the rule it leaves out. */
interface Translated {
  readonly promql: string;
  readonly left: readonly string[];
}

/** One group for each interval of evaluation. Prometheus from version 2.42 on, for `keep_firing_for`. */
export function toPrometheus(rules: readonly AlertRule[]): PrometheusExport {
  const unsupported: string[] = [];
  const groups = new Map<number, string[]>();
  for (const rule of rules) {
    const everyMs = rule.everyMs ?? EVERY_MS;
    const leave = (what: string): void => void unsupported.push(`${ruleName(rule)}: ${what}`);
    const translated = expressionOf(rule);
    if (typeof translated === 'string') {
      leave(translated);
      continue;
    }
    for (const what of [...translated.left, ...leftOf(rule)]) leave(what);
    groups.set(everyMs, [...(groups.get(everyMs) ?? []), ...entryOf(rule, translated.promql)]);
  }
  const lines = ['groups:'];
  for (const [everyMs, entries] of groups) lines.push(`  - name: venuekit-${everyMs}ms`, `    interval: ${everyMs}ms`, '    rules:', ...entries);
  return { yaml: groups.size === 0 ? 'groups: []\n' : `${lines.join('\n')}\n`, unsupported };
}

// A string in JSON is one in YAML.
const quoted = (text: string): string => JSON.stringify(text);

function entryOf(rule: AlertRule, promql: string): readonly string[] {
  const { id, forMs = 0, keepFiringForMs = 0, severity, labels = {}, summary, runbook } = rule;
  return [
    `      - alert: ${quoted(id)}`,
    `        expr: ${quoted(promql)}`,
    ...(forMs > 0 ? [`        for: ${forMs}ms`] : []),
    ...(keepFiringForMs > 0 ? [`        keep_firing_for: ${keepFiringForMs}ms`] : []),
    '        labels:',
    ...Object.entries({ ...labels, severity }).map(([name, value]) => `          ${name}: ${quoted(literal(value))}`),
    '        annotations:',
    `          summary: ${quoted(literal(summary))}`,
    ...(runbook === undefined ? [] : [`          runbook_url: ${quoted(literal(runbook))}`]),
  ];
}

/** Prometheus runs labels and annotations through a template. */
function literal(text: string): string {
  return text.includes('{{') ? text.replaceAll('{{', '{{"{{"}}') : text;
}

/** The condition as PromQL; a string says why there is none. */
function expressionOf(rule: AlertRule): Translated | string {
  switch (rule.type) {
    case 'custom':
      return 'a custom rule is code';
    case 'anomaly':
      return 'an anomaly rule needs its detector';
    case 'threshold':
      return guarded(rule, thresholdOf(rule, rule));
    case 'rate_of_change':
      return guarded(rule, thresholdOf(rule, changeThreshold(rule)));
    case 'burn_rate': {
      const pairs = widestFirst(rule.windows).map(
        ({ longMs, shortMs, burn }) => `((${burnOver(rule, longMs)}) > ${burn} and (${burnOver(rule, shortMs)}) > ${burn})`,
      );
      return guarded(rule, translate(pairs.join(' or ')));
    }
    case 'absent':
      return absenceOf(rule.expr, rule.olderThanMs, rule.everyMs ?? EVERY_MS);
  }
}

function thresholdOf(rule: AlertRule, { expr, op, fire, clear }: Threshold): Translated {
  const fires = translate(`(${expr}) ${op} ${fire}`);
  if (clear === undefined || clear === fire) return fires;
  const { promql } = translate(`(${expr}) ${op === '>' || op === '>=' ? '>=' : '<='} ${clear}`);
  // While it fires, the clear threshold counts: Prometheus' own series of alerts knows whether it does.
  const own = ['alertname', 'alertstate', 'severity', ...Object.keys(rule.labels ?? {})];
  const raised = `ALERTS{alertname=${quoted(rule.id)},alertstate="firing",severity=${quoted(rule.severity)}}`;
  return { promql: `${fires.promql} or (${promql} and ignoring (${own.join(', ')}) ${raised})`, left: fires.left };
}

function guarded(rule: AlertRule, { promql, left }: Translated): Translated {
  const { minSamples = 0 } = rule;
  if (minSamples === 0 || rule.type === 'custom') return { promql, left };
  const counted =
    rule.type === 'burn_rate'
      ? increaseOver(rule.total, Math.max(...rule.windows.map(({ longMs }) => longMs)))
      : samplesBehind(rule.type === 'rate_of_change' ? changeThreshold(rule).expr : rule.expr);
  const guard = translate(`(${counted}) >= ${minSamples}`);
  return { promql: `(${promql}) and (${guard.promql})`, left: [...left, ...guard.left] };
}

function absenceOf(expr: string, olderThanMs: number, everyMs: number): Translated {
  const { promql, left } = translate(absentOver(expr, olderThanMs, everyMs));
  return {
    promql,
    left: [
      ...left,
      `only that ${expr} has no series at all is told; a series that is missing beside others is not`,
      `Prometheus does not wait for olderThanMs (${olderThanMs}) from its start: a server without history tells at its first evaluation`,
    ],
  };
}

function translate(query: string): Translated {
  const { promql, unsupported, notes } = toPromQL(query);
  return { promql, left: [...unsupported, ...notes] };
}

/** What has no place in a rule file. */
function leftOf({ noData = 'ok', onError = 'keep', actions = [], inhibits = [], openMarketForMs }: AlertRule): readonly string[] {
  return [
    ...(noData === 'ok' ? [] : [`noData: ${noData} has no counterpart; where there is no value, the alert ends`]),
    ...(onError === 'keep' ? [] : ['onError: alert has no counterpart']),
    ...(actions.length === 0 ? [] : ['actions are done by venuekit alone']),
    ...(inhibits.length === 0 ? [] : [`inhibits ${inhibits.join(', ')}: write it as inhibit_rules of Alertmanager`]),
    ...(openMarketForMs === undefined ? [] : ['market hours are not known to Prometheus']),
  ];
}
