import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { VenueKitError } from '../../core/errors.js';

/** What a server on the loopback interface does. */
export interface LoopbackHandlers {
  request(message: IncomingMessage, response: ServerResponse): Promise<void>;
  upgrade(message: IncomingMessage, connection: Duplex, head: Buffer): void;
  connection(): void;
}

/** A server that listens. */
export interface LoopbackServer {
  /** Such as `127.0.0.1:43117`. */
  readonly address: string;
  /** Ends all connections and frees the port. */
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
// Longer than clients keep an idle connection, so that none is closed under a request just sent.
const KEEP_ALIVE_MS = 75_000;

/** @throws VenueKitError PORT_IN_USE that names the port. */
export async function openLoopbackServer(port: number, handlers: LoopbackHandlers): Promise<LoopbackServer> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (message, response) => {
    // A client that hangs up in the middle of its own request is its own affair.
    handlers.request(message, response).catch(() => message.socket.destroy());
  });
  server.on('connection', () => handlers.connection());
  server.on('upgrade', (message, connection, head) => handlers.upgrade(message, connection, head));
  return { address: `${HOST}:${await listen(server, port)}`, close: () => closed(server) };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') reject(error);
      else reject(new VenueKitError('PORT_IN_USE', `Port ${port} of ${HOST} is in use; choose another, or 0 for any free one.`, { cause: error }));
    });
    server.listen(port, HOST, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
