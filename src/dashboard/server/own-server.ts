import { createServer, type RequestListener, type Server } from 'node:http';

/** What strangers may hold of a server that is the dashboard's own, before anybody knows whether they are let in. */
export interface ServerLimits {
  /** A connection that has not sent its headers after this is closed. */
  readonly headersMs: number;
  /** The same for a request whose body does not end; no route needs one. */
  readonly requestMs: number;
  /** How often that is looked at. */
  readonly checkMs: number;
  /** Beyond these a connection is refused. */
  readonly connections: number;
}

const LIMITS: ServerLimits = { headersMs: 10_000, requestMs: 20_000, checkMs: 2_000, connections: 1_000 };

/** A server that slow clients can't use up: node:http would wait a minute for headers, and five for a body. */
export function ownServer(handler: RequestListener, { headersMs, requestMs, checkMs, connections }: ServerLimits = LIMITS): Server {
  const server = createServer({ headersTimeout: headersMs, requestTimeout: requestMs, connectionsCheckingInterval: checkMs }, handler);
  server.maxConnections = connections;
  return server;
}
