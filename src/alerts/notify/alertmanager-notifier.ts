import type { AlertGroup, Notifier } from '../../contracts/alerts.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { requireKnown, requirePositive, requireText } from '../../core/options.js';
import { prometheusAlert } from './alert-payload.js';
import { type Fetch, postJson, requireUrl } from './post-json.js';

/** Where an {@link alertmanagerNotifier} posts. */
export interface AlertmanagerOptions {
  /** Of the server, such as `http://127.0.0.1:9093`; `/api/v2/alerts` is added. */
  readonly url: string;
  /** @defaultValue 'alertmanager' */
  readonly name?: string;
  /** How often what still fires is posted again; an alert ends by itself four times as long after the last post. @defaultValue 60_000 */
  readonly resendMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** @defaultValue systemClock */
  readonly clock?: Clock;
  /** @defaultValue the global fetch */
  readonly fetch?: Fetch;
}

/** Posts that may be missed before Alertmanager takes an alert for resolved. */
const LASTS_POSTS = 4;

/**
 * Hands alerts to an Alertmanager (API v2), which groups, inhibits and silences by itself: it gets
 * suppressed ones too.
 * @throws TypeError or RangeError when an option can't be meant; no message repeats the url.
 */
export function alertmanagerNotifier(options: AlertmanagerOptions): Notifier {
  requireKnown('alertmanagerNotifier', options, ['url', 'name', 'resendMs', 'headers', 'clock', 'fetch']);
  const { headers, clock = systemClock, fetch } = options;
  const name = requireText('name', options.name ?? 'alertmanager');
  const resendMs = requirePositive('resendMs', options.resendMs ?? 60_000);
  const url = `${requireUrl('url', options.url).replace(/\/+$/, '')}/api/v2/alerts`;
  return {
    name,
    resendMs,
    wantsSuppressed: true,
    notify({ status, alerts }: AlertGroup, signal: AbortSignal): Promise<void> {
      const endsAt = status === 'firing' ? clock.now() + LASTS_POSTS * resendMs : undefined;
      const body = JSON.stringify(alerts.map((alert) => prometheusAlert(alert, endsAt)));
      return postJson({ what: `Alertmanager ("${name}")`, url, headers, fetch }, body, signal);
    },
  };
}
