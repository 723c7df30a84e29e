import type { Silence } from '../contracts/alerts.js';
import { type AlertTrack, NOTHING } from './state/alert-track.js';
import { type Labels, matchesAll } from './state/labels.js';

const RANK = { info: 0, warning: 1, critical: 2 } as const;

/**
 * What an alert is about, for inhibition: its labels, and the venue and kind that the name of a feed
 * (`venue/kind`) holds, so that a stale feed speaks for the calls and the cache of the same venue.
 */
export function scopeOf(labels: Labels): Labels {
  const [venue, kind] = labels.feed?.split('/') ?? [];
  return venue === undefined || kind === undefined ? labels : { venue, kind, ...labels };
}

/** Whether every label that both have has the same value. */
function isCompatible(a: Labels, b: Labels): boolean {
  for (const name of Object.keys(a)) if (name in b && a[name] !== b[name]) return false;
  return true;
}

/** Whether `source`, which is raised, speaks for `target`: by its rule's `inhibits`, or as a severer level of the same rule. */
export function inhibits(source: AlertTrack, target: AlertTrack): boolean {
  if (source === target) return false;
  const isLevel = source.rule.id === target.rule.id && RANK[source.rule.severity] > RANK[target.rule.severity];
  if (!isLevel && source.rule.inhibits?.includes(target.rule.id) !== true) return false;
  return isCompatible(scopeOf(withoutOwn(source)), scopeOf(withoutOwn(target)));
}

// Labels that a rule adds to all its alerts say nothing of what they are about.
function withoutOwn({ labels, rule }: AlertTrack): Labels {
  if (rule.labels === undefined) return labels;
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !Object.hasOwn(rule.labels as object, name)));
}

/** Says of each raised alert why nobody is to be told of it. */
export function suppress(raised: readonly AlertTrack[], silences: Iterable<Silence>, at: number): void {
  const live = [...silences].filter(({ until }) => until > at);
  for (const target of raised) {
    const reasons: string[] = [];
    for (const source of raised) if (inhibits(source, target)) reasons.push(`inhibited:${source.rule.id}`);
    for (const { id, match } of live) if (isSilenced(target, match)) reasons.push(`silence:${id}`);
    if (reasons.length === 0) target.suppressedBy = NOTHING;
    else if (reasons.join() !== target.suppressedBy.join()) target.suppressedBy = Object.freeze([...new Set(reasons)]);
  }
}

function isSilenced({ labels, rule }: AlertTrack, match: Labels): boolean {
  return matchesAll(match, { ...labels, rule: rule.id, severity: rule.severity });
}
