import type { DashboardOptions } from '../../../src/dashboard/index.js';
import { createDashboard } from '../../../src/dashboard/index.js';
import { MemoryMetricStore } from '../../../src/metrics/index.js';

export const TOKEN = 'a-token-that-is-long-enough';

/** A dashboard from the sources; what is built (page, worker, fonts) it has only where the test says. */
export function givenDashboard(options: Partial<DashboardOptions> = {}) {
  const dashboard = createDashboard({ store: new MemoryMetricStore(), token: TOKEN, ...options });
  const ask = (path: string, init: RequestInit & { readonly host?: string } = {}): Promise<Response> => {
    const { host = 'localhost:8080', headers, ...rest } = init;
    return dashboard.fetchHandler(
      new Request(`http://${host}/${path}`, { ...rest, headers: { authorization: `Bearer ${TOKEN}`, ...(headers as Record<string, string>) } }),
    );
  };
  return { dashboard, ask };
}

/** One event of a stream. */
export interface StreamEvent {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly start: number; readonly snapshot: import('../../../src/dashboard/view/snapshot.js').Snapshot };
}

/** Reads events from an answer, one at a time. */
export function eventsOf(response: Response): { next(): Promise<StreamEvent>; close(): Promise<void> } {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    async next() {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end >= 0) {
          const event = text.slice(0, end);
          text = text.slice(end + 2);
          const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(event)?.[1] ?? '';
          if (field('data') === '') continue;
          return { id: field('id'), type: field('event'), data: JSON.parse(field('data')) as StreamEvent['data'] };
        }
        const { value, done } = await reader.read();
        if (done) throw new Error('the stream ended');
        text += value;
      }
    },
    close: () => reader.cancel(),
  };
}
