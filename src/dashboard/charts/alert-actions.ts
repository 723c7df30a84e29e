import type { AlertActionRecord } from '../../contracts/alerts.js';
import type { RangeResult } from '../../contracts/metric-store.js';
import type { ActionMark, ChartSource } from './chart.js';
import { utc } from './format.js';
import { columnTime, type Grid, onGrid, rangeOf } from './grid.js';
import type { Palette } from './look.js';

/** What counts actions where nobody keeps an audit of them. */
export const ACTIONS_METRIC = 'venuekit_alert_actions_total';

const MOST_MARKS = 400;

/** What alerts had done in a range: from the audit, or else from the counter, which knows neither rule nor what was skipped. */
export async function readActions({ store, alertActions, signal }: ChartSource, grid: Grid): Promise<readonly ActionMark[]> {
  const [records, results] = await Promise.all([
    alertActions({ from: grid.from, to: grid.to }),
    store.query({ metric: ACTIONS_METRIC, agg: 'increase', by: ['action', 'mode', 'ok'], ...rangeOf(grid) }, signal),
  ]);
  return (records.length > 0 ? fromAudit(records, grid) : fromCounter(results, grid)).slice(-MOST_MARKS);
}

// The same within one column is one mark: a rule that flaps must not bury the picture.
function fromAudit(records: readonly AlertActionRecord[], { from, stepMs }: Grid): ActionMark[] {
  const marks = new Map<string, ActionMark>();
  for (const { at, rule, action, mode, outcome } of records) {
    const key = JSON.stringify([Math.floor((at - from) / stepMs), rule, action, mode, outcome]);
    const mark = marks.get(key);
    marks.set(key, mark === undefined ? { t: at, action, rule, mode, outcome, times: 1 } : { ...mark, times: mark.times + 1 });
  }
  return [...marks.values()];
}

function fromCounter(results: readonly RangeResult[], grid: Grid): ActionMark[] {
  return results
    .flatMap((result) => {
      const { action = 'action', mode = '', ok } = result.labels;
      return onGrid(result, grid).flatMap((times, i): ActionMark[] =>
        times === null || times <= 0 ? [] : [{ t: columnTime(grid, i), action, mode, outcome: ok === 'false' ? 'failed' : 'done', times }],
      );
    })
    .sort((a, b) => a.t - b.t);
}

const KINDS = ['action done', 'action in dry run', 'action failed', 'action skipped'] as const;
type ActionKind = (typeof KINDS)[number];

function kindOf({ mode, outcome }: ActionMark): ActionKind {
  if (outcome === 'failed') return 'action failed';
  if (outcome === 'skipped') return 'action skipped';
  return mode === 'dry_run' ? 'action in dry run' : 'action done';
}

/** The kinds that occur, in one order. */
export const actionKinds = (actions: readonly ActionMark[]): readonly ActionKind[] =>
  KINDS.filter((kind) => actions.some((mark) => kindOf(mark) === kind));

/** The marks of one kind, in the row `row` of a timeline. */
export function actionMarks(kind: ActionKind, actions: readonly ActionMark[], row: number, { info, critical, muted, surface }: Palette): object {
  const color = { 'action done': info, 'action in dry run': surface, 'action failed': critical, 'action skipped': muted }[kind];
  const isHollow = kind === 'action in dry run';
  return {
    type: 'scatter',
    name: kind,
    symbol: 'diamond',
    symbolSize: 11,
    itemStyle: { color, borderColor: isHollow ? info : surface, borderWidth: isHollow ? 1.5 : 1 },
    data: actions
      .filter((mark) => kindOf(mark) === kind)
      .map((mark) => ({ name: `${actionInWords(mark)}: ${mark.outcome}\n${utc(mark.t)}`, value: [mark.t, row] })),
  };
}

/** `trip-breaker for error-rate (dry run), 3 times`. */
export function actionInWords({ action, mode, rule, times }: ActionMark): string {
  return `${action}${rule === undefined ? '' : ` for ${rule}`} (${mode.replace('_', ' ')})${times > 1 ? `, ${times} times` : ''}`;
}

/** How many of each kind, in words. */
export function actionsInWords(actions: readonly ActionMark[]): string {
  const counts = actionKinds(actions).map((kind) => {
    const times = Math.round(actions.filter((mark) => kindOf(mark) === kind).reduce((sum, mark) => sum + mark.times, 0));
    return `${times} ${kind.replace('action', times === 1 ? 'action' : 'actions')}`;
  });
  return counts.length === 0 ? 'no action was taken' : counts.join(', ');
}
