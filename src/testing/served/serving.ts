import { setMaxListeners } from 'node:events';
import { requireKnown, requireText, requireWithin } from '../../core/options.js';
import type { VenueCore } from '../venue/venue-core.js';
import type { Credentials } from './credentials.js';
import { type LoopbackHandlers, openLoopbackServer } from './loopback-server.js';
import { type Protocol, RequestLine } from './request-line.js';
import { ServedCounters, type ServedStats } from './served-statistics.js';

/** How a venue is served, whatever its protocol is. */
export interface ServeHttpOptions {
  /** @defaultValue 0: any free port */
  readonly port?: number;
  /** Whose orders and balances the credentials stand for. @defaultValue 'main' */
  readonly account?: string;
}

/** A simulated venue that listens on this machine over HTTP. */
export interface ServedOverHttp extends AsyncDisposable {
  /** Such as `http://127.0.0.1:43117`. */
  readonly url: string;
  /** What requests are signed with. */
  readonly credentials: Credentials;
  /**
   * Points an SDK instance at this venue, with its credentials, and gives it back.
   * @throws TypeError when it is none that is known: ccxt's binance, of `ccxt` and of `ccxt.pro`, @binance/connector, @binance/spot and binance at a served Binance (binance-api-node takes `httpBase` when it is made); ccxt's alpaca and @alpacahq/alpaca-trade-api 3 and 4 at a served Alpaca; ccxt's kraken at a served Kraken.
   */
  connect<S extends object>(sdk: S): S;
  stats(): ServedStats;
  /** Ends all connections and frees the port. Closing twice is fine. */
  close(): Promise<void>;
}

/** The way of requests to a venue, from when it is made until it is closed. */
export class Serving {
  readonly line: RequestLine;
  readonly account: string;
  readonly counters: ServedCounters = new ServedCounters();
  readonly #closing = new AbortController();
  readonly #port: number;

  /** @param caller - the function whose options these are. @param others - names of options that it takes itself. @throws RangeError or TypeError that names the option. */
  constructor(caller: string, core: VenueCore, protocol: Protocol, options: ServeHttpOptions, others: readonly string[] = []) {
    requireKnown(caller, options, ['port', 'account', ...others]);
    this.#port = requireWithin('port', options.port ?? 0, 0, 65_535);
    this.account = requireText('account', options.account ?? 'main');
    // Every request that waits listens to it: many listeners are no leak here.
    setMaxListeners(0, this.#closing.signal);
    this.line = new RequestLine(core, protocol, this.account, this.#closing.signal);
  }

  /** They open nothing but this process's own loopback port. */
  get credentials(): Credentials {
    return { apiKey: `simulated-${this.account}`, secret: `simulated-secret-of-${this.account}` };
  }

  /**
   * Listens. @param closeSockets - ends what the server itself does not know of.
   * @throws VenueKitError PORT_IN_USE that names the port.
   */
  async listen(
    handlers: Omit<LoopbackHandlers, 'connection'>,
    closeSockets: () => void = () => {},
  ): Promise<Pick<ServedOverHttp, 'close' | 'stats' | typeof Symbol.asyncDispose> & { readonly address: string }> {
    const server = await openLoopbackServer(this.#port, { ...handlers, connection: () => this.counters.connection() });
    let closed: Promise<void> | undefined;
    const close = (): Promise<void> => {
      closed ??= (async () => {
        this.#closing.abort();
        closeSockets();
        await server.close();
      })();
      return closed;
    };
    return { address: server.address, stats: () => this.counters.stats(), close, [Symbol.asyncDispose]: close };
  }
}
