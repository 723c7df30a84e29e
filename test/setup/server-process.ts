import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 30_000;

/** A server that a test starts, kills, stops and starts again. */
export class ServerProcess implements AsyncDisposable {
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #isReady: () => Promise<boolean>;
  #process: ChildProcess | undefined;
  #log = '';

  /** @param isReady - asked until it says yes, or the process has ended. */
  constructor(command: string, args: readonly string[], isReady: () => Promise<boolean>) {
    this.#command = command;
    this.#args = args;
    this.#isReady = isReady;
  }

  async start(): Promise<void> {
    const child = spawn(this.#command, this.#args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data: Buffer) => {
        this.#log = (this.#log + data.toString()).slice(-4_000);
      });
    let failure: Error | undefined;
    child.once('error', (error) => {
      failure = error;
    });
    for (const until = Date.now() + START_MS; !(await this.#isReady()); await sleep(15)) {
      if (failure !== undefined || child.exitCode !== null || Date.now() > until)
        throw new Error(`${this.#command} did not start: ${failure?.message ?? ''}${this.#log}`);
    }
  }

  /** Resolves when the process has ended. */
  async kill(name: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(name);
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
