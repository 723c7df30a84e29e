import dns from 'node:dns';
import net from 'node:net';

/**
 * Preloaded by every test: a socket to anything but this machine's loopback is refused before it is
 * opened, and a name other than localhost is not looked up. A test that reaches out is a fault of
 * the test, and must fail as one.
 */

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3}|0\.0\.0\.0|::)$/;

function refuse(host: string): never {
  throw new Error(`A test tried to reach ${host}; tests may use loopback addresses only.`);
}

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]) {
  // net.connect hands over its arguments already normalised, as one array.
  const first: unknown = Array.isArray(args[0]) ? args[0][0] : args[0];
  const options = typeof first === 'object' && first !== null ? (first as { host?: string; path?: string }) : undefined;
  const host = options?.host ?? (typeof first === 'number' && typeof args[1] === 'string' ? args[1] : 'localhost');
  if (options?.path === undefined && !LOOPBACK.test(host)) refuse(host);
  return connect.apply(this, args as Parameters<typeof connect>);
} as typeof connect;

const lookup = dns.lookup;
Object.assign(dns, {
  lookup: (hostname: string, ...rest: unknown[]) => {
    if (!LOOPBACK.test(hostname)) refuse(hostname);
    return (lookup as (...args: unknown[]) => unknown)(hostname, ...rest);
  },
});
