import type { Finding } from './findings.js';
import type { Component, Measure } from './measure.js';
import { digits, type Insight } from './report.js';

/** A finding with the series that it was made in. */
export interface LocatedFinding extends Finding {
  readonly measure: Measure;
  /** Of the series. */
  readonly id: string;
}

// What changes within so long belongs together.
const TOGETHER_MS = 30_000;
// So long after a cause has gone its consequences may still begin.
const AFTERMATH_MS = 60_000;

/**
 * Turns findings into insights: what moved together becomes one, named after the measure that is
 * nearest to a first cause; what begins further down while its cause still lasts is told with it.
 */
export function insightsOf(findings: readonly LocatedFinding[]): readonly Insight[] {
  const groups: { readonly members: LocatedFinding[] }[] = [];
  for (const finding of [...findings].sort((a, b) => a.since - b.since)) {
    const group = groups.find(({ members }) => members.some((member) => belongsWith(member, finding)));
    if (group === undefined) groups.push({ members: [finding] });
    else group.members.push(finding);
  }
  return groups.map(({ members }) => insightOf(members)).sort((a, b) => a.since - b.since);
}

function belongsWith(earlier: LocatedFinding, later: LocatedFinding): boolean {
  if (later.since - earlier.since <= TOGETHER_MS) return true;
  const lasts = later.since <= (earlier.until ?? Infinity) + AFTERMATH_MS;
  if (!lasts) return false;
  if (isSameQuantity(earlier, later)) return true;
  if (earlier.kind === 'creep') return earlier.measure.component === later.measure.component || later.measure.depth > earlier.measure.depth;
  return later.measure.depth > earlier.measure.depth;
}

function insightOf(members: readonly LocatedFinding[]): Insight {
  const first = [...members].sort((a, b) => a.measure.depth - b.measure.depth || b.strength - a.strength)[0]!;
  const { measure, id } = first;
  // The same quantity may have shown elsewhere a little sooner, where there were more calls to see it in.
  const since = Math.min(...members.filter((member) => isSameQuantity(member, first)).map((member) => member.since));
  return { metric: id, component: measure.component, change: changeOf(first), since, cause: causeOf(first, members), action: measure.action };
}

// Of another operation, or read in another way.
function isSameQuantity(a: LocatedFinding, b: LocatedFinding): boolean {
  return a.measure.component === b.measure.component && a.measure.unit === b.measure.unit;
}

function changeOf({ measure, kind, before, after, until, since }: LocatedFinding): string {
  const verb = after > before ? (kind === 'creep' ? 'climbs' : 'rose') : 'fell';
  const ratio = before > 0 && after > 2 * before ? ` (${digits(after / before)}×)` : '';
  const duration = until === undefined ? '' : `, for ${digits((until - since) / 1000)} s`;
  return `${measure.what} ${verb} from ${inUnit(before, measure.unit)} to ${inUnit(after, measure.unit)}${ratio}${duration}`;
}

function causeOf(first: LocatedFinding, members: readonly LocatedFinding[]): string {
  const moved = new Map<Component, Set<string>>();
  for (const { measure, id } of members) {
    if (id === first.id) continue;
    const names = moved.get(measure.component) ?? new Set();
    moved.set(measure.component, names.add(measure.what));
  }
  const own = `the ${first.measure.component}: its ${first.measure.what} changed first`;
  if (moved.size === 0) return `${own}, and nothing else moved with it`;
  const others = [...moved].map(([component, names]) => `${[...names].join(', ')} (${component})`);
  return `${own}; with it moved ${others.join('; ')}`;
}

function inUnit(value: number, unit: Measure['unit']): string {
  if (unit === 'seconds') return value < 1 ? `${digits(value * 1000)} ms` : `${digits(value)} s`;
  if (unit === 'ratio') return `${digits(value * 100)} %`;
  if (unit === 'bytes') return `${digits(value / 1e6)} MB`;
  if (unit === 'per second') return `${digits(value)}/s`;
  return digits(value);
}
