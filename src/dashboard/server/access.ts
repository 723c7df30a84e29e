import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';

/** What of a request decides whether it is let in. */
export interface Visit {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly cookie: string | undefined;
  readonly authorization: string | undefined;
  /** Of the query. */
  readonly token: string | undefined;
  /** The address that the connection came in on, where it is known. */
  readonly localAddress?: string | undefined;
}

const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** 32 random bytes, for a URL. */
export const newToken = (): string => randomBytes(32).toString('base64url');

/** Who may see the dashboard, and who may change something through it. */
export class Access {
  readonly #token: string;
  readonly #digest: Buffer;
  readonly #cookie: string;
  readonly #hosts: Set<string>;

  constructor(token: string, hosts: readonly string[]) {
    this.#token = token;
    this.#digest = digestOf(token);
    // Cookies are shared by all ports of a host: each dashboard has a name of its own.
    this.#cookie = `venuekit_dashboard_${this.#digest.toString('hex').slice(0, 8)}`;
    this.#hosts = new Set([...LOOPBACK, ...hosts.map((host) => host.toLowerCase())]);
  }

  /** What `listen` bound may be asked for by that name. */
  allowHost(host: string): void {
    this.#hosts.add(host.toLowerCase());
  }

  /**
   * Whether the name asked for is one of ours. A page of another site that has its own name resolve
   * to this machine (DNS rebinding) is told by it.
   */
  knowsHost({ host, localAddress }: Visit): boolean {
    const name = hostName(host);
    if (name === undefined) return false;
    return this.#hosts.has(name) || (isIP(name) !== 0 && name === localAddress?.replace(/^::ffff:/, ''));
  }

  /** Compared in constant time; the token may come as cookie, as bearer or, once, in the query. */
  knowsToken({ cookie, authorization, token }: Visit): boolean {
    const bearer = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
    const kept = cookie
      ?.split(';')
      .map((pair) => pair.trim())
      .find((pair) => pair.startsWith(`${this.#cookie}=`))
      ?.slice(this.#cookie.length + 1);
    // All of them are compared, whichever is right.
    const right = [token, bearer, kept === undefined ? undefined : decoded(kept)].map((given) =>
      timingSafeEqual(digestOf(given ?? ''), this.#digest),
    );
    return right.includes(true);
  }

  /** Lets in from the first page on, which then takes the token out of its address. Without a path it holds for the mount. */
  get setCookie(): string {
    return `${this.#cookie}=${encodeURIComponent(this.#token)}; HttpOnly; SameSite=Strict`;
  }

  /** A request that changes something must come from a page of ours. */
  isOwnOrigin({ origin, host, fetchSite }: Visit): boolean {
    if (fetchSite !== undefined && fetchSite !== 'same-origin') return false;
    if (origin === undefined || host === undefined || !URL.canParse(origin)) return false;
    return new URL(origin).host === host.toLowerCase();
  }
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return '';
  }
}

// Of equal length, whatever was given, and nothing of the token can be read from it.
const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

function hostName(host: string | undefined): string | undefined {
  if (host === undefined || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '');
}
