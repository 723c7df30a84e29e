import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** A minute of one symbol as it was traded. */
export interface RecordedBar {
  /** Start of the minute, epoch ms. */
  readonly t: number;
  readonly symbol: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

const COLUMNS = 't,symbol,open,high,low,close,volume';

/**
 * Reads a recorded session: gzip of a CSV with one row per minute and symbol, times ascending.
 * @throws Error that names the file, the line and what is wrong with it.
 */
export function loadSession(path: string): readonly RecordedBar[] {
  const [header, ...lines] = unpack(path).trimEnd().split('\n');
  if (header !== COLUMNS) throw new Error(`${path}: the first line must be "${COLUMNS}", got ${JSON.stringify(header?.slice(0, 80) ?? '')}`);
  if (lines.length === 0) throw new Error(`${path}: has no bars`);
  let previous = 0;
  return lines.map((line, index) => {
    const bar = parseBar(line);
    if (bar === undefined || bar.t < previous) {
      throw new Error(`${path}: line ${index + 2} is ${bar === undefined ? 'no bar' : 'out of order'}: ${JSON.stringify(line.slice(0, 80))}`);
    }
    previous = bar.t;
    return bar;
  });
}

function unpack(path: string): string {
  let packed: Buffer;
  try {
    packed = readFileSync(path);
  } catch (error) {
    throw new Error(
      `The recorded session ${path} can't be read: ${(error as Error).message}. Restore it from the repository, or name another file with --data.`,
    );
  }
  try {
    return gunzipSync(packed).toString('utf8');
  } catch (error) {
    throw new Error(
      `The recorded session ${path} is cut or damaged (${packed.length} bytes, ${(error as Error).message}). Restore it from the repository, or name another file with --data.`,
    );
  }
}

function parseBar(line: string): RecordedBar | undefined {
  const [t, symbol, ...prices] = line.split(',');
  const [open, high, low, close, volume] = prices.map(Number);
  const bar = { t: Number(t), symbol: symbol ?? '', open, high, low, close, volume } as RecordedBar;
  const whole = prices.length === 5 && [bar.t, bar.open, bar.high, bar.low, bar.close, bar.volume].every(Number.isFinite);
  return whole && bar.symbol !== '' && bar.low <= bar.high ? bar : undefined;
}
