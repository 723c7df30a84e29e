/** What came in over the wire since the venue was served. */
export interface ServedStats {
  readonly requests: number;
  /** By method and path, e.g. `GET /api/v3/klines`. */
  readonly requestsByEndpoint: Readonly<Record<string, number>>;
  /** TCP connections accepted. */
  readonly connections: number;
  /** Share of the requests that came over a connection which had carried one before. */
  readonly connectionReuse: number;
  /** Most requests that one connection carried. */
  readonly mostRequestsPerConnection: number;
}

/** Counts requests and connections. */
export class ServedCounters {
  readonly #byEndpoint = new Map<string, number>();
  readonly #perSocket = new WeakMap<object, number>();
  #requests = 0;
  #connections = 0;
  #reused = 0;
  #most = 0;

  connection(): void {
    this.#connections++;
  }

  request(endpoint: string, socket: object): void {
    const nth = (this.#perSocket.get(socket) ?? 0) + 1;
    this.#perSocket.set(socket, nth);
    this.#requests++;
    if (nth > 1) this.#reused++;
    this.#most = Math.max(this.#most, nth);
    this.#byEndpoint.set(endpoint, (this.#byEndpoint.get(endpoint) ?? 0) + 1);
  }

  stats(): ServedStats {
    return {
      requests: this.#requests,
      requestsByEndpoint: Object.fromEntries(this.#byEndpoint),
      connections: this.#connections,
      connectionReuse: this.#requests === 0 ? 0 : this.#reused / this.#requests,
      mostRequestsPerConnection: this.#most,
    };
  }
}
