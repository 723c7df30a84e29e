import { onAbort } from '../../../core/abort.js';
import { asError, missingPeerError, VenueKitError } from '../../../core/errors.js';

/** What is used of a WebSocket: the standard interface, so that the runtime's own, ws and a host's stand-in all fit. */
export interface WebSocketLike {
  readonly readyState: number;
  binaryType?: string;
  send(data: string): void;
  close(code?: number): void;
  addEventListener(type: string, listener: (event: never) => void): void;
}

/** @example `(await import('ws')).WebSocket`, or one behind a proxy: `class extends WebSocket { constructor(url) { super(url, { agent }); } }` */
export type WebSocketConstructor = new (url: string) => WebSocketLike;

const OPEN = 1;

/** The constructor to use: the caller's, the runtime's own, or that of ws where the runtime has none (Node 20). */
export async function webSocketConstructor(given: WebSocketConstructor | undefined): Promise<WebSocketConstructor> {
  if (given !== undefined) return given;
  const own = (globalThis as { readonly WebSocket?: unknown }).WebSocket;
  if (typeof own === 'function') return own as WebSocketConstructor;
  try {
    return (await import('ws')).WebSocket as unknown as WebSocketConstructor;
  } catch (cause) {
    throw missingPeerError(
      'ws',
      'A WebSocket on this runtime',
      `Install it, or hand in a constructor as webSocket.WebSocket. (${asError(cause).message})`,
    );
  }
}

/** What becomes of a socket, told once each except for messages. */
export interface SocketListener {
  message(text: string): void;
  closed(): void;
}

/**
 * Opens a connection; rejects when it fails, or with the signal's reason. The address is not part of
 * any error: a proxy's may carry credentials.
 */
export function openSocket(Constructor: WebSocketConstructor, url: string, signal: AbortSignal, listener: SocketListener): Promise<WebSocketLike> {
  return new Promise((resolve, reject) => {
    let socket: WebSocketLike;
    try {
      socket = new Constructor(url);
    } catch (error) {
      reject(new VenueKitError('CONNECT_FAILED', 'The WebSocket could not be made.', { cause: error }));
      return;
    }
    // Some venues put their text into binary frames.
    socket.binaryType = 'arraybuffer';
    let why: unknown;
    const subscription = onAbort(signal, (reason) => {
      reject(reason);
      socket.close();
    });
    socket.addEventListener('open', () => {
      subscription[Symbol.dispose]();
      if (signal.aborted) socket.close();
      else resolve(socket);
    });
    socket.addEventListener('error', (event: { readonly error?: unknown; readonly message?: string }) => {
      why = event.error ?? event.message;
    });
    socket.addEventListener('close', () => {
      subscription[Symbol.dispose]();
      reject(new VenueKitError('CONNECT_FAILED', 'The WebSocket was closed before it was open.', { cause: why }));
      listener.closed();
    });
    socket.addEventListener('message', (event: { readonly data?: unknown }) => listener.message(textOf(event.data)));
  });
}

const utf8 = new TextDecoder();

function textOf(data: unknown): string {
  return data instanceof ArrayBuffer ? utf8.decode(data) : String(data);
}

export function isOpen(socket: WebSocketLike): boolean {
  return socket.readyState === OPEN;
}
