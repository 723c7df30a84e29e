import { readFile } from 'node:fs/promises';
import type { Mutable } from './mutable.js';
import type { Trace, TraceHeader } from './trace.js';
import { TraceError } from './trace-error.js';
import {
  BLOCK_HEAD_BYTES,
  BLOCK_MARK,
  CALL_OUTCOMES,
  checksum,
  KINDS,
  ORIGINS,
  READ_OUTCOMES,
  RECORD,
  RECORD_BYTES,
  TRACE_SCHEMA,
} from './trace-format.js';

const NEWLINE = 10;
const LONGEST_HEADER = 1_048_576;

/**
 * Reads a trace, its older part `path.1` first, where there is one of the same run. What a killed process left torn is left out and
 * counted in `unreadable`.
 * @throws TraceError TRACE_MISSING when there is no file; TRACE_FOREIGN when it is no trace; TRACE_NEWER when it is of a newer version
 */
export async function readTrace(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<Trace> {
  const { signal } = options;
  const read = (file: string): Promise<Uint8Array | undefined> =>
    readFile(file, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
  const newest = await read(path);
  if (newest === undefined) throw new TraceError('TRACE_MISSING', `There is no trace ${path}; a TraceRecorder writes one.`);
  const older = await read(`${path}.1`);
  const isSameRun = older !== undefined && headerOf(older, `${path}.1`).header.run === headerOf(newest, path).header.run;
  return decodeTrace(isSameRun ? [older, newest] : [newest], path);
}

/** The trace of files' contents, the older first. */
export function decodeTrace(files: readonly Uint8Array[], path = 'the trace'): Trace {
  const { header } = headerOf(files.at(-1)!, path);
  const trace: Mutable = {
    ...header,
    from: Infinity,
    to: -Infinity,
    calls: [],
    reads: [],
    loads: [],
    values: [],
    prefetches: [],
    loans: [],
    returns: [],
    opened: [],
    closed: [],
    tasks: [],
    parses: [],
    limitReports: [],
    appends: [],
    dropped: 0,
    unreadable: 0,
  };
  for (const file of files) decodeFile(file, trace, path);
  if (trace.from === Infinity) trace.from = trace.to = header.startedAt;
  return trace;
}

function headerOf(file: Uint8Array, path: string): { readonly header: TraceHeader; readonly end: number } {
  const end = file.subarray(0, LONGEST_HEADER).indexOf(NEWLINE);
  let header: TraceHeader | undefined;
  try {
    header = JSON.parse(new TextDecoder().decode(file.subarray(0, Math.max(0, end)))) as TraceHeader;
  } catch {
    // Told below, as of any other file.
  }
  const schema: unknown = header?.schema;
  if (typeof schema !== 'string' || !schema.startsWith('venuekit.trace/') || !Number.isFinite(header?.startedAt))
    throw new TraceError('TRACE_FOREIGN', `${path} is no trace of venuekit.`);
  if (schema !== TRACE_SCHEMA)
    throw new TraceError('TRACE_NEWER', `${path} is a trace of another version, ${schema}; this one reads ${TRACE_SCHEMA}.`);
  return { header: header!, end: end + 1 };
}

function decodeFile(file: Uint8Array, trace: Mutable, path: string): void {
  const { header, end } = headerOf(file, path);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const names: string[] = [];
  let at = end;
  while (at < file.length) {
    const block = blockAt(view, file, at);
    if (block === undefined) {
      trace.unreadable++;
      // Names of a block that is lost would be missing in all that follow.
      return;
    }
    for (const name of block.names) names.push(name);
    for (let i = 0; i < block.count; i++) decodeRecord(view, block.records + i * RECORD_BYTES, header.startedAt, names, trace);
    at = block.records + block.count * RECORD_BYTES;
  }
}

function blockAt(
  view: DataView,
  file: Uint8Array,
  at: number,
): { readonly names: readonly string[]; readonly records: number; readonly count: number } | undefined {
  if (at + BLOCK_HEAD_BYTES > file.length || view.getUint32(at, true) !== BLOCK_MARK) return undefined;
  const namesLength = view.getUint32(at + 4, true);
  const count = view.getUint32(at + 8, true);
  const body = at + BLOCK_HEAD_BYTES;
  const end = body + namesLength + count * RECORD_BYTES;
  if (end > file.length || checksum(file.subarray(body, end)) !== view.getUint32(at + 12, true)) return undefined;
  const names = namesLength === 0 ? [] : (JSON.parse(new TextDecoder().decode(file.subarray(body, body + namesLength))) as string[]);
  return { names, records: body + namesLength, count };
}

const OTHER = 'other';

function decodeRecord(view: DataView, at: number, startedAt: number, names: readonly string[], trace: Mutable): void {
  const flags = view.getUint8(at + 1);
  const number = view.getUint16(at + 2, true);
  const whole = view.getUint32(at + 4, true);
  const t = startedAt + view.getFloat64(at + 8, true);
  const a = view.getFloat32(at + 16, true);
  const b = view.getFloat32(at + 20, true);
  const c = view.getFloat32(at + 24, true);
  const name = names[number - 1] ?? OTHER;
  const kind = KINDS[flags & 7] ?? 'quote';
  trace.from = Math.min(trace.from, t);
  trace.to = Math.max(trace.to, t);
  switch (view.getUint8(at)) {
    case RECORD.call:
      trace.calls.push({ t, operation: name, attempt: whole, ms: a, outcome: CALL_OUTCOMES[flags & 127] ?? 'failed', hedge: flags >= 128 });
      break;
    case RECORD.read:
      trace.reads.push({
        t,
        kind: KINDS[flags >> 3] ?? 'quote',
        key: whole,
        outcome: READ_OUTCOMES[flags & 7] ?? 'miss',
        ageMs: a,
        waitedMs: c,
        maxAgeMs: b,
        consumer: number,
      });
      break;
    case RECORD.load:
      trace.loads.push({ t, kind, keys: whole, ms: a, ok: flags >= 128 });
      break;
    case RECORD.value:
      trace.values.push({ t, kind, key: whole, origin: ORIGINS[flags >> 5] ?? 'read', changed: [undefined, false, true][(flags >> 3) & 3] });
      break;
    case RECORD.prefetch:
      trace.prefetches.push({ t, key: whole, useful: flags === 1 });
      break;
    case RECORD.loan:
      trace.loans.push({ t, pool: name, waitedMs: a, reused: flags === 1 });
      break;
    case RECORD.return:
      trace.returns.push({ t, pool: name, heldMs: a });
      break;
    case RECORD.opened:
      trace.opened.push({ t, pool: name, ms: Number.isNaN(a) ? undefined : a });
      break;
    case RECORD.closed:
      trace.closed.push({ t, pool: name, why: names[whole - 1] ?? OTHER });
      break;
    case RECORD.task:
      trace.tasks.push({ t, group: name, waitMs: a, runMs: b, ok: flags === 1 });
      break;
    case RECORD.parse:
      trace.parses.push({ t, bytes: whole, ms: a, thread: flags === 1 ? 'worker' : 'main' });
      break;
    case RECORD.limit:
      trace.limitReports.push({
        t,
        limit: name,
        used: Number.isNaN(a) ? undefined : a,
        remaining: Number.isNaN(b) ? undefined : b,
        blockedMs: flags === 1 ? whole : undefined,
      });
      break;
    case RECORD.append:
      trace.appends.push({ t, records: whole, ms: a });
      break;
    case RECORD.dropped:
      trace.dropped += whole;
      break;
    default:
      // Of a newer recorder: what it means is not known here.
      trace.unreadable++;
  }
}
