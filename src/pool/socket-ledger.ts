import type http from 'node:http';
import type { Duplex } from 'node:stream';
import type { Bus } from '../contracts/events.js';
import type { Clock } from '../core/clock.js';

/** How the sockets of both agents were used. */
export interface AgentStats {
  readonly requests: number;
  /** Requests that went over a socket which had served another. */
  readonly reused: number;
  /** reused ÷ requests that have their socket; 0 before the first. */
  readonly reuseRatio: number;
  readonly socketsOpened: number;
  readonly sockets: number;
  readonly inUse: number;
  /** Requests that wait for a socket. */
  readonly waiting: number;
}

/** What an agent is told of each request; not in its types, and unchanged since agents exist: it is how proxies are made. */
interface RequestTaker {
  addRequest(request: http.ClientRequest, ...rest: unknown[]): void;
}

/** Counts which requests of the watched agents went over a socket that had served another. */
export class SocketLedger {
  readonly #name: string;
  readonly #maxSockets: number;
  readonly #bus: Bus | undefined;
  readonly #clock: Clock;
  readonly #agents: http.Agent[] = [];
  readonly #seen = new WeakSet<Duplex>();
  #requests = 0;
  #served = 0;
  #reused = 0;
  #opened = 0;

  constructor(name: string, maxSockets: number, bus: Bus | undefined, clock: Clock) {
    this.#name = name;
    this.#maxSockets = maxSockets;
    this.#bus = bus;
    this.#clock = clock;
  }

  /** Counts what goes through `agent` from now on. */
  watch<A extends http.Agent>(agent: A): A {
    this.#agents.push(agent);
    const taker = agent as unknown as RequestTaker;
    const addRequest = taker.addRequest.bind(agent);
    taker.addRequest = (request, ...rest) => {
      this.#requests++;
      const since = this.#clock.monotonic();
      // Node's own `reusedSocket` misses those that waited and were handed a socket by another request.
      request.once('socket', (socket) => this.#assigned(socket, since));
      request.once('close', () => this.#announceSoon());
      addRequest(request, ...rest);
    };
    return agent;
  }

  stats(): AgentStats {
    const { sockets, inUse, waiting } = this.#holdings();
    return {
      requests: this.#requests,
      reused: this.#reused,
      reuseRatio: this.#served === 0 ? 0 : this.#reused / this.#served,
      socketsOpened: this.#opened,
      sockets,
      inUse,
      waiting,
    };
  }

  #assigned(socket: Duplex, since: number): void {
    const isReused = this.#seen.has(socket);
    this.#served++;
    if (isReused) this.#reused++;
    else this.#noteNew(socket);
    if (this.#bus?.has('pool.acquired')) {
      this.#bus.emit('pool.acquired', { pool: this.#name, waitedMs: this.#clock.monotonic() - since, reused: isReused });
    }
    this.#announce();
  }

  #noteNew(socket: Duplex): void {
    this.#seen.add(socket);
    this.#opened++;
    if (this.#bus?.has('pool.created')) this.#bus.emit('pool.created', { pool: this.#name });
    socket.once('close', () => {
      if (this.#bus?.has('pool.destroyed')) this.#bus.emit('pool.destroyed', { pool: this.#name, why: 'closed' });
      this.#announceSoon();
    });
  }

  // The agent moves its sockets about after the events that we hear: its counts are right a moment later.
  #announceSoon(): void {
    queueMicrotask(() => this.#announce());
  }

  #announce(): void {
    if (!this.#bus?.has('pool.state')) return;
    const { sockets, inUse, waiting, origins } = this.#holdings();
    this.#bus.emit('pool.state', { pool: this.#name, max: this.#maxSockets * Math.max(1, origins), size: sockets, inUse, waiting });
  }

  #holdings(): { readonly sockets: number; readonly inUse: number; readonly waiting: number; readonly origins: number } {
    let inUse = 0;
    let idle = 0;
    let waiting = 0;
    const origins = new Set<string>();
    for (const agent of this.#agents) {
      for (const [origin, sockets] of Object.entries(agent.sockets)) {
        inUse += sockets?.length ?? 0;
        origins.add(origin);
      }
      for (const [origin, sockets] of Object.entries(agent.freeSockets)) {
        idle += sockets?.length ?? 0;
        origins.add(origin);
      }
      for (const requests of Object.values(agent.requests)) waiting += requests?.length ?? 0;
    }
    return { sockets: inUse + idle, inUse, waiting, origins: origins.size };
  }
}
