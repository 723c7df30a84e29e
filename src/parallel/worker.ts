import { Tinypool } from 'tinypool';

// Runs on a worker thread and is loaded by path: it may import nothing of its own package.

type Parser = (bytes: Uint8Array) => unknown;
type Transferred = Parameters<typeof Tinypool.move>[0];

const parsers = new Map<string, Promise<Parser>>();

/** Parses `bytes` with the module at `parser`, and gives the memory of the result back without a copy. Without a task it only says that it is there. */
export default async function parse(task?: { readonly parser: string; readonly bytes: Uint8Array }): Promise<unknown> {
  if (task === undefined) return undefined;
  const { parser, bytes } = task;
  let loading = parsers.get(parser);
  if (loading === undefined) {
    loading = load(parser);
    parsers.set(parser, loading);
  }
  const result = await (await loading)(bytes);
  const buffers = [...buffersOf(result)];
  if (buffers.length === 0) return result;
  return Tinypool.move({ [Tinypool.transferableSymbol]: buffers, [Tinypool.valueSymbol]: result } as unknown as Transferred);
}

async function load(parser: string): Promise<Parser> {
  const module = (await import(parser)) as { readonly default?: unknown };
  if (typeof module.default !== 'function') throw new TypeError(`${parser} must export a function as its default, to parse with`);
  return module.default as Parser;
}

/** The memory of a result: of itself, or of the values of an object or list. */
function buffersOf(result: unknown): Set<ArrayBuffer> {
  const found = new Set<ArrayBuffer>();
  const look = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) {
      // A small Buffer shares its memory with others, and can't be given away.
      if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength) found.add(value.buffer);
    } else if (value instanceof ArrayBuffer) found.add(value);
  };
  look(result);
  if (found.size === 0 && typeof result === 'object' && result !== null && !ArrayBuffer.isView(result))
    for (const value of Object.values(result)) look(value);
  return found;
}
