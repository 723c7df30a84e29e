import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cost, Limit } from '../../core/limits.js';
import { type Fault, type Plan, SILENCE_MS } from '../faults.js';
import { LimitMeter } from '../venue/limit-meter.js';
import type { OrderRecord } from '../venue/order-record.js';
import type { VenueCore } from '../venue/venue-core.js';
import { authenticate, type Credentials } from './authenticate.js';
import type { Endpoint, Request } from './endpoint.js';
import { marketEndpoints } from './market-endpoints.js';
import { orderEndpoints } from './order-endpoints.js';
import type { ServedCounters } from './served-statistics.js';
import { failure, refusalReply, type WireReply } from './wire-reply.js';

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map(Object.entries({ ...marketEndpoints, ...orderEndpoints }));

// What the headers report, whether or not the venue is told to keep limits.
const REPORTED: readonly Limit[] = [
  { id: 'weight', scope: 'ip', kind: 'window', units: Number.MAX_SAFE_INTEGER, perMs: 60_000 },
  { id: 'orders', scope: 'account', kind: 'window', units: Number.MAX_SAFE_INTEGER, perMs: 10_000 },
];

/** A request that has come in whole. */
interface Incoming {
  readonly endpoint: Endpoint;
  readonly params: URLSearchParams;
  readonly query: string;
  readonly body: string;
  readonly key: string | undefined;
}

/** Binance's REST protocol over a venue: the wire, its delays and its faults; what is answered comes from the endpoints. */
export class BinanceFace {
  readonly #core: VenueCore;
  readonly #credentials: Credentials;
  readonly #account: string;
  readonly #counters: ServedCounters;
  readonly #closing: AbortSignal;
  readonly #reported = new LimitMeter(REPORTED, { afterIgnored: 1, firstMs: 1, longestMs: 1 });

  constructor(core: VenueCore, credentials: Credentials, account: string, counters: ServedCounters, closing: AbortSignal) {
    this.#core = core;
    this.#credentials = credentials;
    this.#account = account;
    this.#counters = counters;
    this.#closing = closing;
  }

  /** Answers one request; resolves also when the connection has gone meanwhile. */
  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (message.url ?? '').split('?', 2);
    const name = `${message.method} ${path}`;
    const endpoint = ENDPOINTS.get(name);
    this.#counters.request(endpoint === undefined ? 'unknown' : name, message.socket);
    const body = await bodyOf(message);
    if (endpoint === undefined) return send(response, failure(-5000, `Path ${path}, Method ${message.method} is invalid`, 404), {});
    const key = message.headers['x-mbx-apikey'];
    const params = new URLSearchParams(body === '' ? query : query === '' ? body : `${query}&${body}`);
    const incoming: Incoming = { endpoint, params, query, body, key: typeof key === 'string' ? key : undefined };
    await this.#travel(incoming, this.#core.plan(endpoint.operation), response);
  }

  async #travel(incoming: Incoming, plan: Plan, response: ServerResponse): Promise<void> {
    const legMs = (this.#core.latency?.draw() ?? 0) / 2;
    await this.#wait(legMs + plan.delayBeforeMs);
    if (plan.before !== undefined) return this.#strike(plan.before, failure(-1000, 'An unknown error occurred.', 500), response);
    const reply = await this.#act(incoming, plan);
    await this.#wait(legMs + plan.delayAfterMs);
    if (plan.after !== undefined) return this.#strike(plan.after, reply, response);
    send(response, reply, this.#usage(incoming));
  }

  async #act(incoming: Incoming, plan: Plan): Promise<WireReply> {
    const core = this.#core;
    const costs = this.#costs(incoming);
    this.#reported.admit(core.clock.monotonic(), costs.reported, this.#account, undefined);
    const refusal = core.admit(plan, costs.kept, this.#account, incoming.params.get('symbol') ?? undefined);
    if (refusal !== undefined) return refusalReply(refusal, core.venueClock.venueNow());
    if (plan.reject?.when === 'before') return failure(-2010, 'Order rejected.');
    let order: OrderRecord | undefined;
    const placed = (made: OrderRecord): void => {
      order = made;
    };
    let reply = this.#run(incoming, plan, placed);
    if (plan.duplicate !== undefined) reply = await this.#deliverAgain(incoming, plan, plan.duplicate, reply, placed);
    if (plan.reject !== undefined && order !== undefined) core.engine.rejectLater(order, plan.reject.ms ?? 0);
    return reply;
  }

  #run({ endpoint, params, query, body, key }: Incoming, plan: Plan, placed: Request['placed']): WireReply {
    const core = this.#core;
    return core.act(plan, () => {
      const refused = endpoint.signed ? authenticate(core, this.#credentials, { key, query, body, params }) : undefined;
      return refused ?? endpoint.run({ core, account: this.#account, params, asOf: () => core.asOf(plan), plan, placed });
    });
  }

  async #deliverAgain(incoming: Incoming, plan: Plan, fault: Fault, first: WireReply, placed: Request['placed']): Promise<WireReply> {
    const { ms = 0 } = fault;
    if (fault.when === 'after') {
      await this.#wait(ms);
      return this.#run(incoming, plan, placed);
    }
    const { agenda } = this.#core;
    if (ms === 0) this.#run(incoming, plan, placed);
    else agenda.plan(agenda.now + ms, () => this.#run(incoming, plan, placed));
    return first;
  }

  async #strike(fault: Fault, reply: WireReply, response: ServerResponse): Promise<void> {
    switch (fault.kind) {
      case 'drop':
        await this.#wait(fault.ms ?? SILENCE_MS);
        response.socket?.destroy();
        return;
      case 'reset':
        response.socket?.resetAndDestroy();
        return;
      case 'html':
        response.writeHead(fault.status ?? 503, { 'content-type': 'text/html' });
        response.end('<html><head><title>Service Unavailable</title></head><body><h1>Service Unavailable</h1></body></html>');
        return;
      case 'half_body': {
        const whole = JSON.stringify(reply.body);
        response.writeHead(reply.status, { 'content-type': 'application/json;charset=UTF-8', 'content-length': Buffer.byteLength(whole) });
        // Cut only once the first half is out, or nothing at all would arrive.
        response.write(whole.slice(0, whole.length / 2), () => response.socket?.destroy());
        return;
      }
      default:
        send(response, statusReply(fault), {});
    }
  }

  #costs({ endpoint, params }: Incoming): { readonly kept: readonly Cost[]; readonly reported: readonly Cost[] } {
    const weight = typeof endpoint.weight === 'number' ? endpoint.weight : endpoint.weight(params);
    const isOrder = endpoint.operation === 'place';
    const kept = this.#core.meter.limits.flatMap(({ id, scope }) => {
      if (scope === 'ip') return [{ limit: id, units: weight }];
      return isOrder || (scope === 'symbol' && endpoint.operation === 'cancel') ? [{ limit: id, units: 1 }] : [];
    });
    const reported = [{ limit: 'weight', units: weight }, ...(isOrder ? [{ limit: 'orders', units: 1 }] : [])];
    return { kept, reported };
  }

  #usage(incoming: Incoming): Record<string, string> {
    const uses = this.#reported.uses(this.#core.clock.monotonic(), this.#costs(incoming).reported, this.#account, undefined);
    return Object.fromEntries(
      uses.map(({ limit, used }) => [limit.id === 'weight' ? 'x-mbx-used-weight-1m' : 'x-mbx-order-count-10s', String(used)]),
    );
  }

  // Cut short when the venue closes: what was under way ends at once.
  async #wait(ms: number): Promise<void> {
    if (ms > 0 && !this.#closing.aborted) await this.#core.clock.sleep(ms, this.#closing).catch(() => {});
  }
}

function statusReply(fault: Fault): WireReply {
  const status = fault.status ?? 503;
  const code = fault.code ?? (status === 429 || status === 418 ? -1003 : status === 408 || status === 504 ? -1007 : -1000);
  const retryAfterMs = fault.ms === undefined ? undefined : { retryAfterMs: fault.ms };
  return { ...failure(code, MESSAGES[code] ?? 'An unknown error occurred while processing the request.', status), ...retryAfterMs };
}

const MESSAGES: Readonly<Record<number, string>> = {
  [-1003]: 'Too much request weight used; please wait before sending more requests.',
  [-1007]: 'Timeout waiting for response from backend server. Send status unknown; execution status unknown.',
  [-1021]: 'Timestamp for this request is outside of the recvWindow.',
};

function send(response: ServerResponse, reply: WireReply, headers: Record<string, string>): void {
  if (response.destroyed) return;
  const body = JSON.stringify(reply.body);
  const retryAfter = reply.retryAfterMs === undefined ? undefined : { 'retry-after': String(Math.ceil(reply.retryAfterMs / 1_000)) };
  response.writeHead(reply.status, {
    'content-type': 'application/json;charset=UTF-8',
    'content-length': Buffer.byteLength(body),
    ...headers,
    ...retryAfter,
  });
  response.end(body);
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
