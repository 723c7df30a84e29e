import { request } from 'node:http';
import { createDashboard } from '../../dashboard/index.js';
import type { Check } from '../check.js';

/** Of this machine as well, and not what loopback listens on: who is reached there, listens everywhere. */
const OTHER_ADDRESS = '127.0.0.2';

/** The dashboard lets nobody in without its token, and listens to this machine only. */
export const dashboard: Check = {
  id: 'production.dashboard',
  category: 'production',
  critical: false,
  async run({ host, dashboard: given }) {
    const shown = given ?? createDashboard({ store: host.kit.store, alerts: host.kit.alerts, analytics: host.kit.analytics });
    try {
      // One of the host's may listen already: it may on one port more.
      const { url } = await shown.listen();
      const { port, searchParams, pathname } = new URL(url);
      const token = searchParams.get('token') ?? '';
      const ask = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<number> => statusOf(Number(port), path, headers);
      const found: Record<string, readonly [number, readonly number[]]> = {
        'without a token': [await ask(pathname), [401, 403]],
        'with a wrong one': [await ask(`${pathname}?token=${'x'.repeat(token.length)}`), [401, 403]],
        'data without one': [await ask('/live'), [401, 403, 404]],
        'under a foreign name': [await ask(`${pathname}?token=${encodeURIComponent(token)}`, { host: 'attacker.example' }), [400, 403, 421]],
        'with the token': [await ask(`${pathname}?token=${encodeURIComponent(token)}`), [200, 302, 303]],
      };
      const wrong = Object.entries(found).filter(([, [status, right]]) => !right.includes(status));
      const isExposed = await statusOf(Number(port), pathname, {}, OTHER_ADDRESS).then(
        () => true,
        () => false,
      );
      return {
        passed: wrong.length === 0 && !isExposed && token.length >= 16,
        measured: `${Object.entries(found)
          .map(([what, [status]]) => `${status} ${what}`)
          .join(', ')}; listens ${isExposed ? 'everywhere' : 'on loopback only'}, token of ${token.length} characters`,
        required: '401 or 421 without the token or under a foreign name, 200 with it; loopback, a token of 16 characters or more',
        why:
          given === undefined
            ? 'A dashboard over the store of the kit, with its defaults, was asked over a socket.'
            : "The host's own dashboard was asked over a socket, on a port of its own.",
      };
    } finally {
      if (given === undefined) await shown[Symbol.asyncDispose]();
    }
  },
};

function statusOf(port: number, path: string, headers: Readonly<Record<string, string>>, host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, path, headers, timeout: 5_000 }, (response) => {
      resolve(response.statusCode ?? 0);
      // A stream would never end by itself.
      response.destroy();
    });
    sent.once('error', reject);
    sent.once('timeout', () => sent.destroy(new Error('the dashboard did not answer within 5 s')));
    sent.end();
  });
}
