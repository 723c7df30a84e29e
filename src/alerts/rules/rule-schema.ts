import * as v from 'valibot';
import { nearest } from '../../core/options.js';
import type { AlertRule } from './rule.js';
import { RuleError, type RuleIssue } from './rule-error.js';

/** `must be …, got …`, for whichever check of a member fails. */
const must =
  (expectation: string) =>
  ({ input }: { readonly input: unknown }): string =>
    `must be ${expectation}, got ${show(input)}`;

const text = () => v.pipe(v.string(must('a non-empty string')), v.nonEmpty(must('a non-empty string')));
const finite = () => v.pipe(v.number(must('a finite number')), v.finite(must('a finite number')));
const positive = () => {
  const message = must('a finite number above 0');
  return v.pipe(v.number(message), v.finite(message), v.gtValue(0, message));
};
const duration = () => {
  const message = must('a finite number of milliseconds, 0 or more');
  return v.pipe(v.number(message), v.finite(message), v.minValue(0, message));
};
const count = (least: number) => {
  const message = must(`a whole number of ${least} or more`);
  return v.pipe(v.number(message), v.integer(message), v.minValue(least, message));
};
const oneOf = <const T extends readonly string[]>(allowed: T) => v.picklist(allowed, must(`one of ${allowed.map(show).join(', ')}`));
const listOf = <T extends v.GenericSchema>(item: T) => v.array(item, must('a list'));
const LABEL = /^[a-zA-Z_]\w*$/;
const labels = () =>
  v.record(
    v.pipe(v.string(), v.regex(LABEL, 'is no name of a label: letters, digits and _, not beginning with a digit')),
    v.string(must('a string')),
    must('an object'),
  );

const action = v.strictObject({
  do: text(),
  with: v.optional(v.record(v.string(), v.unknown(), must('an object'))),
  on: v.optional(oneOf(['firing', 'resolved'])),
  cooldownMs: v.optional(duration()),
  maxPerHour: v.optional(count(1)),
  mode: v.optional(oneOf(['dry_run', 'auto'])),
});

const base = {
  id: text(),
  severity: oneOf(['info', 'warning', 'critical']),
  summary: text(),
  everyMs: v.optional(positive()),
  forMs: v.optional(duration()),
  keepFiringForMs: v.optional(duration()),
  noData: v.optional(oneOf(['ok', 'alert', 'keep'])),
  noDataForMs: v.optional(duration()),
  onError: v.optional(oneOf(['keep', 'alert'])),
  minSamples: v.optional(count(0)),
  labels: v.optional(labels()),
  runbook: v.optional(text()),
  inhibits: v.optional(listOf(text())),
  actions: v.optional(listOf(action)),
  openMarketForMs: v.optional(duration()),
};

const types = {
  threshold: v.strictObject({
    ...base,
    type: v.literal('threshold'),
    expr: text(),
    op: oneOf(['>', '<', '>=', '<=']),
    fire: finite(),
    clear: v.optional(finite()),
  }),
  rate_of_change: v.strictObject({
    ...base,
    type: v.literal('rate_of_change'),
    expr: text(),
    overMs: positive(),
    percent: positive(),
    direction: oneOf(['up', 'down']),
  }),
  burn_rate: v.strictObject({
    ...base,
    type: v.literal('burn_rate'),
    errors: text(),
    total: text(),
    objective: v.pipe(
      v.number(must('a number above 0 and below 1')),
      v.gtValue(0, must('a number above 0 and below 1')),
      v.ltValue(1, must('a number above 0 and below 1')),
    ),
    budgetWindowMs: positive(),
    windows: v.pipe(
      listOf(v.strictObject({ longMs: positive(), shortMs: positive(), burn: positive() })),
      v.minLength(1, must('a list of one pair of windows or more')),
    ),
  }),
  anomaly: v.strictObject({
    ...base,
    type: v.literal('anomaly'),
    expr: text(),
    score: v.pipe(v.number(must('between 0 and 1')), v.minValue(0, must('between 0 and 1')), v.maxValue(1, must('between 0 and 1'))),
  }),
  absent: v.strictObject({ ...base, type: v.literal('absent'), expr: text(), olderThanMs: positive() }),
  custom: v.strictObject({ ...base, type: v.literal('custom'), evaluate: v.function(must('a function')) }),
};

const TYPES = Object.keys(types) as readonly (keyof typeof types)[];

/**
 * The shape of one rule.
 * @param path - where the rule stands, for messages: `rules[2]`
 * @throws RuleError that lists everything that is wrong, each with its path
 */
export function requireRuleShape(rule: unknown, path: string): AlertRule {
  const issues = shapeIssues(rule, path);
  if (issues.length > 0) throw new RuleError(issues);
  return rule as AlertRule;
}

function shapeIssues(rule: unknown, path: string): readonly RuleIssue[] {
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) return [{ path, message: `must be an object, got ${show(rule)}` }];
  const { type } = rule as { readonly type?: unknown };
  if (!TYPES.includes(type as (typeof TYPES)[number])) {
    const near = typeof type === 'string' ? nearest(type, TYPES) : undefined;
    const hint = near === undefined ? '' : `; did you mean ${show(near)}?`;
    return [{ path: `${path}.type`, message: `must be one of ${TYPES.map(show).join(', ')}, got ${show(type)}${hint}` }];
  }
  const schema = types[type as keyof typeof types];
  const { issues } = v.safeParse(schema, rule);
  return (issues ?? []).map((issue) => ({ path: pathOf(path, issue), message: messageOf(issue, type as string, knownAt(schema, issue)) }));
}

type Issue = v.BaseIssue<unknown>;

function pathOf(root: string, { path }: Issue): string {
  let where = root;
  for (const { key } of path ?? []) where += typeof key === 'number' ? `[${key}]` : `.${String(key)}`;
  return where;
}

function messageOf(issue: Issue, type: string, known: readonly string[]): string {
  if (issue.type !== 'strict_object') return issue.message;
  const key = String(issue.path?.at(-1)?.key);
  if (issue.expected === 'never') {
    const near = nearest(key, known);
    return `is no member of a ${type} rule${near === undefined ? '' : `; did you mean ${show(near)}?`}`;
  }
  return issue.received === 'undefined' ? 'is missing' : `must be an object, got ${show(issue.input)}`;
}

/** The members that exist beside the one that an issue is about. */
function knownAt(schema: (typeof types)[keyof typeof types], { path }: Issue): readonly string[] {
  const parent = path?.[0]?.key;
  if ((path?.length ?? 0) < 2) return Object.keys(schema.entries);
  return parent === 'actions' ? Object.keys(action.entries) : parent === 'windows' ? ['longMs', 'shortMs', 'burn'] : [];
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}
