import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { ServerProcess } from './server-process.js';

/** Debian's redis-server; false where it is not installed (`sh scripts/install-test-services.sh`). */
export const HAS_REDIS: boolean = spawnSync('redis-server', ['--version']).error === undefined;

/** A redis-server of a test's own: on loopback, in a folder that goes with it. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #directory: string;
  readonly #process: ServerProcess;

  private constructor(port: number, directory: string) {
    this.port = port;
    this.#directory = directory;
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no', '--daemonize', 'no'];
    this.#process = new ServerProcess('redis-server', args, () => answersPing(port));
  }

  /** It forgets everything with its process. */
  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), mkdtempSync(join(tmpdir(), 'venuekit-redis-')));
    await server.#process.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** As a crash does. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  restart(): Promise<void> {
    return this.#process.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (isUp: boolean): void => {
      socket.destroy();
      resolve(isUp);
    };
    socket.setTimeout(500, () => end(false));
    socket.once('error', () => end(false));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')));
  });
}
