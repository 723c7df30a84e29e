import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { ownServer } from '../../src/dashboard/server/own-server.js';
import { givenDashboard, TOKEN } from '../unit/dashboard/given-dashboard.js';

const HEAD = `Host: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n`;
/** What each of them sends, and then no more. */
const SLOW = {
  'headers that never end': 'GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ',
  'a body that never ends': `POST /silence?fingerprint=f HTTP/1.1\r\n${HEAD}Origin: http://localhost\r\nContent-Length: 1000\r\n\r\n{`,
  'a body in chunks that never end': `POST /silence?fingerprint=f HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`,
  'nothing at all': '',
};

interface SlowClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
}

async function slowClient(port: number, text: string): Promise<SlowClient> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  await new Promise<void>((resolve) => {
    socket.once('connect', () => resolve());
  });
  socket.write(text);
  socket.resume();
  return { socket, closed };
}

/** The limits of a dashboard's own server, scaled down. */
async function given(connections: number): Promise<AsyncDisposable & { readonly port: number }> {
  const { dashboard } = givenDashboard();
  const server = ownServer(dashboard.nodeHandler as RequestListener, { headersMs: 300, requestMs: 600, checkMs: 50, connections });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await dashboard[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Asked until it is served: these limits are so short that they cut off also a client that gets no turn for a moment. */
const status = async (port: number): Promise<number> =>
  (await fetch(`http://127.0.0.1:${port}/series`, { headers: { authorization: `Bearer ${TOKEN}` } })).status;

it.each(Object.entries(SLOW))('closes a connection that sends %s, and serves the rest meanwhile', async (_, text) => {
  await using server = await given(100);
  const slow = await Promise.all(Array.from({ length: 20 }, () => slowClient(server.port, text)));
  await expect.poll(() => status(server.port)).toBe(200);
  await Promise.all(slow.map(({ closed }) => closed));
  await expect.poll(() => status(server.port)).toBe(200);
});

it('refuses connections beyond its limit, and serves again when slow ones have been closed', async () => {
  await using server = await given(5);
  const slow = await Promise.all(Array.from({ length: 12 }, () => slowClient(server.port, SLOW['headers that never end'])));
  await Promise.all(slow.map(({ closed }) => closed));
  await expect.poll(() => status(server.port)).toBe(200);
});

it('serves others beside clients of the stream that read nothing, and ends with them', async () => {
  await using server = await given(100);
  for (let i = 0; i < 20; i++) {
    const { socket } = await slowClient(server.port, `GET /events HTTP/1.1\r\n${HEAD}\r\n`);
    socket.pause();
  }
  await expect.poll(() => status(server.port)).toBe(200);
});
