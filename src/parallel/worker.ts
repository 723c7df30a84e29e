import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { Tinypool } from 'tinypool';

// Runs on a worker thread and is loaded by path: it may import nothing of its own package.

type Parser = (bytes: Uint8Array) => unknown;
type Transferred = Parameters<typeof Tinypool.move>[0];

// A thread that ends in the middle of a task leaves it without an answer: tinypool waits for ever.
if (!isMainThread) {
  process.exit = (code): never => {
    throw new Error(`A parser must not end its thread, it called process.exit(${code ?? ''})`);
  };
  syncBuiltinESMExports();
}

const parsers = new Map<string, Parser>();

/** Parses `bytes` with the module at `parser`, and gives the memory of the result back without a copy. Without a task it only says that it is there. */
export default async function parse(task?: { readonly parser: string; readonly bytes: Uint8Array }): Promise<unknown> {
  if (task === undefined) return undefined;
  const { parser, bytes } = task;
  const result = await (parsers.get(parser) ?? (await load(parser)))(bytes);
  const buffers = buffersOf(result);
  if (buffers.length === 0) return result;
  return Tinypool.move({ [Tinypool.transferableSymbol]: buffers, [Tinypool.valueSymbol]: result } as unknown as Transferred);
}

async function load(url: string): Promise<Parser> {
  const module = (await import(url)) as { readonly default?: unknown };
  if (typeof module.default !== 'function') throw new TypeError(`${url} must export a function as its default, to parse with`);
  const parser = module.default as Parser;
  parsers.set(url, parser);
  return parser;
}

/** The memory of a result: its own, or that of the values of an object or list. */
function buffersOf(result: unknown): ArrayBuffer[] {
  if (typeof result !== 'object' || result === null) return [];
  const own = bufferOf(result);
  if (own !== undefined) return [own];
  if (ArrayBuffer.isView(result)) return [];
  // Two arrays may share one buffer, which can be given away only once.
  const buffers = new Set<ArrayBuffer>();
  for (const value of Object.values(result)) {
    const buffer = bufferOf(value);
    if (buffer !== undefined) buffers.add(buffer);
  }
  return [...buffers];
}

function bufferOf(value: unknown): ArrayBuffer | undefined {
  if (value instanceof ArrayBuffer) return value;
  // A view of a part, as small Buffers are, shares its memory with others that would lose it.
  return ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength ? value.buffer : undefined;
}
