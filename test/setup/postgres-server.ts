import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from './free-port.js';
import { ServerProcess } from './server-process.js';

const DEBIAN = '/usr/lib/postgresql';
const USER = 'postgres';

/** Where Debian keeps the programs of its newest PostgreSQL; undefined where it is not installed (`sh scripts/install-test-services.sh`). */
const PROGRAMS: string | undefined = (existsSync(DEBIAN) ? readdirSync(DEBIAN) : [])
  .sort((a, b) => Number(b) - Number(a))
  .map((version) => join(DEBIAN, version, 'bin'))
  .find((directory) => existsSync(join(directory, 'initdb')));

export const HAS_POSTGRES: boolean = PROGRAMS !== undefined;

// The server refuses to be root; the package brings a user for it.
const isRoot = process.getuid?.() === 0;

/** A command as the user that may run a server. */
function asServerUser(program: string, args: readonly string[]): readonly [command: string, args: readonly string[]] {
  const path = join(PROGRAMS ?? '', program);
  return isRoot ? ['setpriv', [`--reuid=${USER}`, `--regid=${USER}`, '--init-groups', path, ...args]] : [path, args];
}

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'venuekit-postgres-'));
  if (!isRoot) return directory;
  const [uid, gid] = ['-u', '-g'].map((which) => Number(spawnSync('id', [which, USER], { encoding: 'utf8' }).stdout));
  chownSync(directory, uid as number, gid as number);
  return directory;
}

/** A PostgreSQL of a test's own: on loopback, in a folder that goes with it. */
export class PostgresServer implements AsyncDisposable {
  readonly port: number;
  readonly #directory: string;
  readonly #process: ServerProcess;
  readonly #pools: pg.Pool[] = [];

  private constructor(port: number, directory: string, settings: Readonly<Record<string, string>>) {
    this.port = port;
    this.#directory = directory;
    const given = { listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off', log_min_messages: 'fatal', ...settings };
    const set = Object.entries(given).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const [command, args] = asServerUser('postgres', ['-D', directory, '-p', String(port), ...set]);
    this.#process = new ServerProcess(command, args, () => answers(port));
  }

  /** @param settings - of postgresql.conf. fsync is off: tests kill the server, never the machine. */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
    const directory = makeDirectory();
    const [command, args] = asServerUser('initdb', ['-D', directory, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']);
    const made = spawnSync(command, args, { encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
    const server = new PostgresServer(await freePort(), directory, settings);
    await server.#process.start();
    return server;
  }

  /** A pool as a host makes one; it ends with the server. */
  pool(over: pg.PoolConfig = {}): pg.Pool {
    const pool = new pg.Pool({ host: '127.0.0.1', port: this.port, user: USER, database: USER, ...over });
    // As a host has to: an idle connection may be lost.
    pool.on('error', () => {});
    this.#pools.push(pool);
    return pool;
  }

  /** As a crash of the whole server does. */
  kill(): Promise<void> {
    // Its children see that it is gone, and end.
    return this.#process.kill();
  }

  restart(): Promise<void> {
    return this.#process.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.end()));
    // SIGQUIT ends the children, too.
    await this.#process.kill('SIGQUIT');
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function answers(port: number): Promise<boolean> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: USER, database: USER, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
