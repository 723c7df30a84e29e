import type { AlertGroup, AlertInstance, Notifier, Severity } from '../../contracts/alerts.js';
import { requireKnown, requireText } from '../../core/options.js';
import { type Fetch, postJson, requireUrl } from './post-json.js';

/** Where a {@link slackNotifier} posts. */
export interface SlackOptions {
  /** The incoming webhook; its path is a secret. */
  readonly url: string;
  /** @defaultValue 'slack' */
  readonly name?: string;
  /** @defaultValue the global fetch */
  readonly fetch?: Fetch;
}

const COLOURS: Readonly<Record<Severity, string>> = { info: '#439fe0', warning: '#daa038', critical: '#d00000' };
const RESOLVED = '#2eb67d';
/** Slack shows at most so many well. */
const MOST_SHOWN = 20;

/**
 * Posts alerts to an incoming webhook of Slack, or of what speaks its form (Mattermost, Discord's `/slack`).
 * @throws TypeError when an option can't be meant; no message repeats the url.
 */
export function slackNotifier(options: SlackOptions): Notifier {
  requireKnown('slackNotifier', options, ['url', 'name', 'fetch']);
  const name = requireText('name', options.name ?? 'slack');
  const url = requireUrl('url', options.url);
  return {
    name,
    notify: (group, signal) => postJson({ what: `Slack ("${name}")`, url, fetch: options.fetch }, JSON.stringify(slackMessage(group)), signal),
  };
}

/** The message of a group. */
export function slackMessage({ status, alerts }: AlertGroup): object {
  const shown = alerts.slice(0, MOST_SHOWN);
  const rules = [...new Set(alerts.map(({ rule }) => rule))].map(escaped).join(', ');
  const more = alerts.length > shown.length ? ` (${alerts.length - shown.length} more not shown)` : '';
  return {
    text: `[${status === 'firing' ? `FIRING: ${alerts.length}` : 'RESOLVED'}] ${rules}${more}`,
    attachments: shown.map((alert) => attachment(alert, status)),
  };
}

function attachment({ rule, severity, labels, summary, value, firedAt, runbook }: AlertInstance, status: AlertGroup['status']): object {
  const title = `${escaped(rule)} (${severity})`;
  const text = [
    escaped(summary ?? rule),
    `value ${Number.isNaN(value) ? 'none' : String(value)}`,
    ...(runbook === undefined ? [] : [`<${escaped(runbook)}|runbook>`]),
  ];
  return {
    color: status === 'resolved' ? RESOLVED : COLOURS[severity],
    fallback: `${title}: ${escaped(summary ?? rule)}`,
    title,
    text: text.join('\n'),
    fields: Object.entries(labels).map(([label, of]) => ({ title: escaped(label), value: escaped(of), short: true })),
    ...(firedAt === undefined ? {} : { ts: Math.floor(firedAt / 1000) }),
  };
}

// The three characters that Slack's markup gives a meaning to; a label must not become a link or a mention.
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
