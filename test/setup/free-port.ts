import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const RANGE = '/proc/sys/net/ipv4/ip_local_port_range';
// Above 10080, the last that fetch refuses.
const LEAST = 11_000;

/** The first port that the kernel gives to whoever asks for any, clients that connect included; undefined where it can't be told. */
function firstGivenOut(): number | undefined {
  try {
    return Number(readFileSync(RANGE, 'utf8').split(/\s/)[0]);
  } catch {
    return undefined;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isListening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
  if (isListening) await new Promise((resolve) => server.close(resolve));
  return isListening;
}

/**
 * A TCP port of loopback that nobody listens on at this moment, and that no client is given as its own: one of those that the kernel
 * gives out may be taken by the connection of another test before a server has started, or while it is down.
 */
export async function freePort(): Promise<number> {
  const end = firstGivenOut() ?? 32_768;
  if (end <= LEAST) throw new Error(`${RANGE} begins at ${end}: no port is left for servers of tests`);
  for (;;) {
    const port = LEAST + Math.floor(Math.random() * (end - LEAST));
    if (await isFree(port)) return port;
  }
}
