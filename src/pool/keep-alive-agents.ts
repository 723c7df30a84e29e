import http from 'node:http';
import https from 'node:https';
import type { Bus } from '../contracts/events.js';
import { type Clock, systemClock } from '../core/clock.js';
import { requireInteger, requireKnown, requireMethods, requireObject, requireText } from '../core/options.js';
import { agentFetch } from './agent-fetch.js';
import { type AgentStats, SocketLedger } from './socket-ledger.js';

/** What {@link keepAliveAgents} makes its agents of. */
export interface KeepAliveAgentOptions {
  /** Names them in events. @defaultValue 'http' */
  readonly name?: string;
  /** Where `pool.created`, `pool.acquired` and `pool.state` go. @defaultValue nowhere */
  readonly bus?: Bus;
  /** @defaultValue systemClock */
  readonly clock?: Clock;
  /** Most sockets to one origin; further requests wait for one. @defaultValue 15 */
  readonly maxSockets?: number;
  /** Options of node:https for its agent, such as `ca` or `servername`. */
  readonly tls?: https.AgentOptions;
}

/** A pair of agents to hand to an SDK. */
export interface KeepAliveAgents extends Disposable {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
  /** `fetch` over these agents, for an SDK that takes one, such as Alpaca's `fetchApi`. Redirects are given to the caller. */
  readonly fetch: typeof fetch;
  stats(): AgentStats;
  /** Ends all sockets. */
  close(): void;
}

/**
 * Agents that keep connections open between requests and say how many were reused, for an SDK that
 * takes an agent or a `fetch`.
 *
 * @example
 * const agents = keepAliveAgents({ name: 'binance', bus });
 * const exchange = new ccxt.binance({ fetchImplementation: agents.fetch });
 * const alpaca = new Alpaca({ keyId, secret, fetchApi: agents.fetch });
 */
export function keepAliveAgents(options: KeepAliveAgentOptions = {}): KeepAliveAgents {
  requireKnown('keepAliveAgents', requireObject('options', options), ['name', 'bus', 'clock', 'maxSockets', 'tls']);
  const { bus, clock = systemClock, tls = {} } = options;
  const name = requireText('name', options.name ?? 'http');
  const maxSockets = requireInteger('maxSockets', options.maxSockets ?? 15, 1);
  if (bus !== undefined) requireMethods('bus', bus, ['emit', 'has']);
  const ledger = new SocketLedger(name, maxSockets, bus, clock);
  const common = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets, scheduling: 'lifo' } as const;
  const httpAgent = ledger.watch(new http.Agent(common));
  const httpsAgent = ledger.watch(new https.Agent({ ...tls, ...common }));
  const close = (): void => {
    httpAgent.destroy();
    httpsAgent.destroy();
  };
  return {
    httpAgent,
    httpsAgent,
    fetch: agentFetch({ http: httpAgent, https: httpsAgent }),
    stats: () => ledger.stats(),
    close,
    [Symbol.dispose]: close,
  };
}
