import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { buildProgram } from '../kill/build-program.js';
import type { DeskTask } from './desk-bot.js';
import type { Ban, Spent } from './desk-observations.js';

/** One bot of a desk, in a process of its own. */
export class DeskProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #said: string[] = [];
  readonly #heard = new Set<() => void>();

  /** Requests that it has sent to the venue. */
  readonly sends: Spent[] = [];
  /** Bans that the venue told it of. */
  readonly bans: Ban[] = [];

  private constructor(child: ChildProcess, onDurable: (number: number) => void) {
    this.#child = child;
    const lines = createInterface({ input: child.stdout! });
    this.#ended = Promise.all([once(child, 'exit'), once(lines, 'close')]).then(() => {});
    lines.on('line', (line) => {
      const [word, rest, more] = line.split(' ');
      if (word === 'durable') onDurable(Number(rest));
      else if (word === 'sent') this.sends.push({ at: Number(rest), units: Number(more) });
      else if (word === 'banned') this.bans.push({ toldAt: Number(rest), forMs: Number(more) });
      else this.#said.push(line);
      for (const look of [...this.#heard]) look();
    });
    void this.#ended.then(() => {
      for (const look of [...this.#heard]) look();
    });
  }

  static async start(task: DeskTask, durable: Set<number>): Promise<DeskProcess> {
    const child = spawn(process.execPath, [await buildProgram('../desk/desk-bot.ts'), JSON.stringify(task)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return new DeskProcess(child, (number) => durable.add(number));
  }

  get said(): readonly string[] {
    return this.#said;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Resolves with the first line that begins so. @throws when the process ends before it has said it */
  async says(beginning: string): Promise<string> {
    for (;;) {
      const line = this.#said.find((said) => said.startsWith(beginning));
      if (line !== undefined) return line;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw new Error(`the bot ended (${this.#child.exitCode ?? this.#child.signalCode}) and never said "${beginning}": ${this.#said.join('; ')}`);
      await new Promise<void>((resolve) => {
        const look = (): void => {
          this.#heard.delete(look);
          resolve();
        };
        this.#heard.add(look);
      });
    }
  }

  ended(): Promise<void> {
    return this.#ended;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
