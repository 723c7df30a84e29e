import { type FileHandle, open, rename } from 'node:fs/promises';
import { asError } from '../../core/errors.js';

/** Where the bytes of a trace go. */
export interface TraceSink {
  /** Bytes that are not written yet. */
  readonly waiting: number;
  /** Whether the next block belongs into a file of its own. */
  readonly wantsRestart: boolean;
  /** Begins a file with its header. */
  begin(header: Uint8Array): void;
  write(block: Uint8Array): void;
  /** Resolves when everything so far has been written. @throws what the first failed write threw */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Two files that take turns: when `path` has half the bytes that are allowed, it becomes `path.1`, in place of the one before, and a
 * new one begins. So the newest part of the run is kept, and never more than `maxBytes`.
 */
export class TraceFile implements TraceSink {
  readonly #path: string;
  readonly #most: number;
  #file: FileHandle | undefined;
  #written = 0;
  #waiting = 0;
  #work: Promise<void> = Promise.resolve();
  #failure: Error | undefined;

  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#most = Math.floor(maxBytes / 2);
  }

  get waiting(): number {
    return this.#waiting;
  }

  get wantsRestart(): boolean {
    return this.#written >= this.#most;
  }

  begin(header: Uint8Array): void {
    const isFirst = this.#written === 0;
    this.#written = 0;
    this.#then(header, async () => {
      await this.#file?.close();
      // What an earlier run left is not lost at once.
      await rename(this.#path, `${this.#path}.1`).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !isFirst) throw error;
      });
      // Whoever may read the bot's files may read this one, and nobody else.
      this.#file = await open(this.#path, 'w', 0o600);
      await this.#file.appendFile(header);
    });
  }

  write(block: Uint8Array): void {
    this.#then(block, async () => {
      await this.#file?.appendFile(block);
    });
  }

  async flush(): Promise<void> {
    await this.#work;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async close(): Promise<void> {
    await this.#work;
    await this.#file?.close();
    this.#file = undefined;
  }

  #then(bytes: Uint8Array, step: () => Promise<void>): void {
    this.#written += bytes.length;
    this.#waiting += bytes.length;
    this.#work = this.#work
      .then(() => (this.#failure === undefined ? step() : undefined))
      .catch((error: unknown) => {
        this.#failure ??= asError(error);
      })
      .finally(() => {
        this.#waiting -= bytes.length;
      });
  }
}

/** The newest blocks, in memory. */
export class TraceMemory implements TraceSink {
  readonly #most: number;
  readonly waiting = 0;
  #parts: Uint8Array[][] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#most = Math.floor(maxBytes / 2);
  }

  get wantsRestart(): boolean {
    return this.#bytes >= this.#most;
  }

  begin(header: Uint8Array): void {
    this.#parts = [...this.#parts.slice(-1), [header]];
    this.#bytes = header.length;
  }

  write(block: Uint8Array): void {
    this.#parts.at(-1)?.push(block);
    this.#bytes += block.length;
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {}

  /** What is kept, as the bytes of files, the older first. */
  files(): readonly Uint8Array[] {
    return this.#parts.map((parts) => {
      const file = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const part of parts) {
        file.set(part, at);
        at += part.length;
      }
      return file;
    });
  }
}
