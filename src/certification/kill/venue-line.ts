import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import type { Attempt, BrokerAdapter, Cost, VenueCapabilities, VenueEvent } from '../../contracts/broker.js';
import { abortReason } from '../../core/abort.js';
import { asError } from '../../core/errors.js';
import type { Limit } from '../../core/limits.js';

/**
 * A line of JSON over loopback between a bot's process and the venue in its parent: the bot can be
 * killed at any byte, and the venue goes on with whatever has reached it.
 */

type Operation = 'place' | 'cancel' | 'find' | 'openOrders' | 'history' | 'fills' | 'serverTime';
const LISTINGS: readonly Operation[] = ['openOrders', 'history', 'fills'];
const OPERATIONS: readonly Operation[] = ['place', 'cancel', 'find', ...LISTINGS, 'serverTime'];

interface Hello {
  readonly venue: string;
  readonly capabilities: Omit<VenueCapabilities, 'clientId'> & {
    readonly clientId: Omit<VenueCapabilities['clientId'], 'pattern'> & { readonly pattern: string };
  };
  readonly limits: readonly Limit[];
  readonly costs: Readonly<Record<string, readonly Cost[]>>;
}

type Request =
  | { readonly id: number; readonly operation: Operation; readonly args: readonly unknown[]; readonly attempt: Omit<Attempt, 'signal'> }
  | { readonly id: number; readonly operation: 'events' | 'abort' };

type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly id: number; readonly event: VenueEvent };

/** Serves `broker` on a port of its own until disposed. */
export async function serveBroker(broker: BrokerAdapter): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    void serveConnection(broker, socket).finally(() => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function serveConnection(broker: BrokerAdapter, socket: net.Socket): Promise<void> {
  const waiting = new Map<number, AbortController>();
  // A killed bot resets its connections.
  socket.on('error', () => {});
  const send = (reply: Reply | Hello): void => {
    if (socket.writable) socket.write(`${JSON.stringify(reply)}\n`);
  };
  const { pattern, ...clientId } = broker.capabilities.clientId;
  send({
    venue: broker.venue,
    capabilities: { ...broker.capabilities, clientId: { ...clientId, pattern: pattern.source } },
    limits: broker.limits,
    costs: Object.fromEntries(OPERATIONS.map((operation) => [operation, broker.cost(operation)])),
  });
  try {
    for await (const line of createInterface({ input: socket })) {
      const request = parse(line);
      // The last line of a killed bot may be cut off anywhere: then it has not been sent.
      if (request === undefined) continue;
      if (request.operation === 'abort') waiting.get(request.id)?.abort(new Error('the bot waits no longer'));
      else {
        const controller = new AbortController();
        waiting.set(request.id, controller);
        void answer(broker, request, controller.signal, send).finally(() => waiting.delete(request.id));
      }
    }
  } catch {
    // Reset in the middle of a line.
  } finally {
    for (const controller of waiting.values()) controller.abort(new Error('the bot is gone'));
  }
}

async function answer(
  broker: BrokerAdapter,
  request: Exclude<Request, { operation: 'abort' }>,
  signal: AbortSignal,
  send: (reply: Reply) => void,
): Promise<void> {
  const { id } = request;
  try {
    if (!('args' in request)) {
      for await (const event of broker.events?.(signal) ?? []) send({ id, event });
      return send({ id, value: null });
    }
    const call = broker[request.operation] as unknown as (...args: unknown[]) => unknown;
    const result = call.call(broker, ...request.args, { ...request.attempt, signal });
    send({ id, value: LISTINGS.includes(request.operation) ? await collect(result as AsyncIterable<unknown>) : await result });
  } catch (error) {
    send({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

async function collect(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const item of items) found.push(item);
  return found;
}

function parse(line: string): Request | undefined {
  try {
    return JSON.parse(line) as Request;
  } catch {
    return undefined;
  }
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onEvent?: (event: VenueEvent) => void;
}

/** The venue at the other end of the line, as an adapter. */
export async function connectBroker(port: number): Promise<BrokerAdapter & Disposable> {
  const socket = net.connect(port, '127.0.0.1');
  const lines = createInterface({ input: socket });
  const [first] = (await once(lines, 'line')) as [string];
  const hello = JSON.parse(first) as Hello;
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  lines.on('line', (line) => {
    const reply = JSON.parse(line) as Reply;
    const waiter = waiting.get(reply.id);
    if (waiter === undefined) return;
    if ('event' in reply) {
      waiter.onEvent?.(reply.event);
      return;
    }
    waiting.delete(reply.id);
    if ('error' in reply) waiter.reject(new Error(reply.error));
    else waiter.resolve(reply.value);
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    for (const waiter of waiting.values()) waiter.reject(new Error('the line to the venue is closed'));
    waiting.clear();
  });

  const request = (message: object, signal: AbortSignal, onEvent?: (event: VenueEvent) => void): Promise<unknown> => {
    const id = nextId++;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject, ...(onEvent !== undefined && { onEvent }) });
      const abort = (): void => {
        if (!waiting.delete(id)) return;
        socket.write(`${JSON.stringify({ id, operation: 'abort' })}\n`);
        reject(abortReason(signal));
      };
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort, { once: true });
      socket.write(`${JSON.stringify({ id, ...message })}\n`);
    });
  };
  const call =
    (operation: Operation) =>
    (...parameters: unknown[]): Promise<never> => {
      const { signal, ...attempt } = parameters.at(-1) as Attempt;
      return request({ operation, args: parameters.slice(0, -1), attempt }, signal) as Promise<never>;
    };
  const list = (operation: Operation) =>
    async function* (...parameters: unknown[]): AsyncIterable<never> {
      yield* (await call(operation)(...parameters)) as never[];
    };

  return {
    venue: hello.venue,
    capabilities: { ...hello.capabilities, clientId: { ...hello.capabilities.clientId, pattern: new RegExp(hello.capabilities.clientId.pattern) } },
    limits: hello.limits,
    cost: (operation) => hello.costs[operation] ?? [],
    place: call('place'),
    cancel: call('cancel'),
    find: call('find'),
    openOrders: list('openOrders'),
    history: list('history'),
    fills: list('fills'),
    serverTime: call('serverTime'),
    async *events(signal) {
      const arrived: VenueEvent[] = [];
      let wake = (): void => {};
      let ended: Error | undefined;
      void request({ operation: 'events' }, signal, (event) => {
        arrived.push(event);
        wake();
      })
        .then(
          () => (ended = new Error('the stream has ended')),
          (error: unknown) => (ended = asError(error)),
        )
        .then(() => wake());
      for (;;) {
        while (arrived.length > 0) yield arrived.shift() as VenueEvent;
        if (ended !== undefined) throw ended;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
