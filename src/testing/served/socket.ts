import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import type { Clock } from '../../core/clock.js';
import { StreamWire } from '../broker/stream-wire.js';
import type { VenueCore } from '../venue/venue-core.js';

/** What is asked of a server-side socket of the package ws. */
export interface ServerSocket {
  send(data: string | Uint8Array): void;
  ping(): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  on(event: 'message', listener: (data: { toString(): string }, isBinary: boolean) => void): unknown;
  on(event: 'pong' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** The part of the package ws that serving needs; loaded when a venue is served, not before. */
export type SocketServer = Pick<WebSocketServer, 'handleUpgrade' | 'close' | 'clients'>;

const PING_EVERY_MS = 20_000;
const PONG_WITHIN_MS = 60_000;

/** Pings a connection, and ends it once it no longer answers. */
export function keepAlive(socket: ServerSocket, clock: Clock): void {
  let heardAt = clock.monotonic();
  let timer: Disposable;
  const ping = (): void => {
    if (clock.monotonic() - heardAt > PONG_WITHIN_MS) {
      socket.terminate();
      return;
    }
    socket.ping();
    timer = clock.schedule(PING_EVERY_MS, ping);
  };
  timer = clock.schedule(PING_EVERY_MS, ping);
  socket.on('pong', () => {
    heardAt = clock.monotonic();
  });
  socket.on('close', () => timer[Symbol.dispose]());
  // What the protocol says next is a close; nothing is to be done about it here.
  socket.on('error', () => {});
}

/** The line that events travel on to a connection. @param encode - what goes onto the wire for one of them */
export function wireTo<T>(core: VenueCore, socket: ServerSocket, encode: (event: T) => string | Uint8Array): StreamWire<T> {
  const wire = new StreamWire<T>(core, {
    arrive: (event) => socket.send(encode(event)),
    ended: () => socket.terminate(),
  });
  socket.on('close', () => wire.end(new Error('The connection was closed.')));
  return wire;
}

/** Answers a request for an upgrade with something else. */
export function refuseUpgrade(connection: Duplex, status: number, reason: string, retryAfterSeconds?: number): void {
  const retryAfter = retryAfterSeconds === undefined ? '' : `Retry-After: ${retryAfterSeconds}\r\n`;
  connection.end(`HTTP/1.1 ${status} ${reason}\r\n${retryAfter}Connection: close\r\nContent-Length: 0\r\n\r\n`);
}
