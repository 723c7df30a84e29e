import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConnectionPool, keepAliveAgents } from 'venuekit/pool';
import { WebSocket, WebSocketServer } from 'ws';

/**
 * Order sessions in a pool, and an agent that reports connection reuse, against servers on loopback:
 *
 *     npx tsx examples/pool.ts
 */
const venue = http.createServer((_request, response) => response.end('{"price":"64000"}'));
const socketServer = new WebSocketServer({ server: venue });
let logins = 0;
socketServer.on('connection', (socket) => {
  logins++;
  socket.on('message', (order) => socket.send(`ack ${order}`));
});
await new Promise<void>((resolve) => venue.listen(0, '127.0.0.1', resolve));
const { port } = venue.address() as AddressInfo;

/** Opens a session; a bot would log in here. */
function openSession(signal: AbortSignal): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    signal.addEventListener('abort', () => socket.terminate());
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** One request at a time over a session: that is what the pool is for. */
function place(session: WebSocket, order: string): Promise<string> {
  return new Promise((resolve) => {
    session.once('message', (data) => resolve(String(data)));
    session.send(order);
  });
}

const sessions = new ConnectionPool({
  name: 'orders',
  create: openSession,
  destroy: (session) => session.close(),
  validate: (session) => session.readyState === WebSocket.OPEN,
  max: 5,
  min: 1,
});

const acks = await Promise.all(Array.from({ length: 200 }, (_, i) => sessions.use((session) => place(session, `order ${i}`), { deadlineMs: 5_000 })));
const { acquired, created, reuseRatio, waitP99Ms } = sessions.stats();
console.log(`${acks.length} orders acknowledged over ${created} sessions (${logins} logins), ${acquired} acquires`);
console.log(`reused ${(reuseRatio * 100).toFixed(1)} %, p99 wait ${waitP99Ms.toFixed(1)} ms`);

// The venue drops every session; the pool notices before it hands one out.
for (const socket of socketServer.clients) socket.terminate();
await new Promise((resolve) => setTimeout(resolve, 50));
console.log(await sessions.use((session) => place(session, 'order after the drop')), `(${sessions.stats().created - created} new session)`);
await sessions.close();

// The same idea for an SDK that takes an agent.
const agents = keepAliveAgents({ name: 'rest', maxSockets: 4 });
const get = (): Promise<void> =>
  new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, agent: agents.httpAgent }, (response) => {
        response.resume();
        response.on('end', resolve);
      })
      .on('error', reject);
  });
await Promise.all(Array.from({ length: 100 }, get));
const rest = agents.stats();
console.log(`${rest.requests} requests over ${rest.socketsOpened} sockets, ${(rest.reuseRatio * 100).toFixed(0)} % reused`);

agents.close();
socketServer.close();
venue.closeAllConnections();
venue.close();
