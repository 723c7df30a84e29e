import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import type { Clock } from '../../core/clock.js';
import { afterInput } from '../../core/macrotask.js';
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

/** A socket that can hold events back until the others of this turn are there, too. */
export interface GatheringSocket extends ServerSocket {
  /** What is sent from now on goes out in one write, once what came in over all connections has been worked on. */
  gather(): void;
}

/** As venues under load do it: many events, one write. An answer waits for nothing unless events are waiting on its own connection. */
export function gathering(socket: ServerSocket, connection: Duplex): GatheringSocket {
  let isGathering = false;
  const letGo = (): void => {
    if (!isGathering) return;
    isGathering = false;
    connection.uncork();
  };
  return {
    gather: () => {
      if (isGathering) return;
      isGathering = true;
      connection.cork();
      afterInput(letGo);
    },
    send: (data) => socket.send(data),
    ping: () => socket.ping(),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => {
      // What was sent before is on its way.
      letGo();
      socket.terminate();
    },
    on: (event: string, listener: (...args: never[]) => void) => socket.on(event as 'close', listener),
  };
}

/** The line that events travel on to a connection. @param encode - what goes onto the wire for one of them */
export function wireTo<T>(core: VenueCore, socket: ServerSocket | GatheringSocket, encode: (event: T) => string | Uint8Array): StreamWire<T> {
  const wire = new StreamWire<T>(core, {
    arrive: (event) => {
      if ('gather' in socket) socket.gather();
      socket.send(encode(event));
    },
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
