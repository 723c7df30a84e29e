import type { StreamWire } from '../broker/stream-wire.js';
import type { Credentials } from '../served/credentials.js';
import type { ServerSocket } from '../served/socket.js';

/** What a connection to `/stream` is made of. */
export interface TradingSessionParts {
  readonly socket: ServerSocket;
  readonly wire: StreamWire<object>;
  readonly credentials: Credentials;
  /** Sends the account's updates until it is disposed. */
  readonly follow: (listener: (update: object) => void) => Disposable;
}

interface Request {
  readonly action?: unknown;
  readonly key?: unknown;
  readonly secret?: unknown;
  readonly data?: { readonly key_id?: unknown; readonly secret_key?: unknown; readonly streams?: unknown };
}

/** One connection to the trading stream. Source: docs.alpaca.markets, websocket streaming. */
export class TradingSession {
  readonly #parts: TradingSessionParts;
  #isAuthorized = false;
  #following: Disposable | undefined;

  constructor(parts: TradingSessionParts) {
    this.#parts = parts;
    parts.socket.on('message', (data) => this.#take(data.toString()));
    parts.socket.on('close', () => this.#following?.[Symbol.dispose]());
  }

  #take(text: string): void {
    let request: Request;
    try {
      request = JSON.parse(text) as Request;
    } catch {
      this.#parts.wire.send({ action: 'error', data: { error_message: 'invalid message' } });
      return;
    }
    const action = request.action;
    if (action === 'authenticate' || action === 'auth') {
      this.#authenticate(request);
      return;
    }
    if (action === 'listen') {
      this.#listen(request);
      return;
    }
    this.#parts.wire.send({ action: 'error', data: { error_message: `unknown action ${String(action)}` } });
  }

  // Both forms that Alpaca takes: the keys inside of data, or beside the action.
  #authenticate({ data, key, secret }: Request): void {
    const { wire, credentials } = this.#parts;
    this.#isAuthorized = (data?.key_id ?? key) === credentials.apiKey && (data?.secret_key ?? secret) === credentials.secret;
    const status = this.#isAuthorized ? 'authorized' : 'unauthorized';
    wire.send({ stream: 'authorization', data: { action: 'authenticate', status } });
  }

  #listen({ data }: Request): void {
    const { wire, follow } = this.#parts;
    if (!this.#isAuthorized) {
      wire.send({ stream: 'authorization', data: { action: 'listen', status: 'unauthorized' } });
      return;
    }
    const isMeant = Array.isArray(data?.streams) && data.streams.includes('trade_updates');
    if (!isMeant) {
      this.#following?.[Symbol.dispose]();
      this.#following = undefined;
    } else this.#following ??= follow((update) => wire.push({ stream: 'trade_updates', data: update }, 'events'));
    wire.send({ stream: 'listening', data: { streams: isMeant ? ['trade_updates'] : [] } });
  }
}
