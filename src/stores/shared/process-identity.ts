import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Which process this is, so that another one can tell later whether it still runs. A pid alone can't:
 * it is given to another process in time, at once in a container, where everybody is pid 1.
 */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Of the running kernel; absent where the platform has no /proc. */
  readonly bootId?: string;
  /** In kernel ticks since the boot. */
  readonly startTime?: string;
  readonly pidNamespace?: string;
}

/** What the platform tells about processes; replaced in tests. */
export interface ProcessTable {
  readonly host: string;
  readonly pid: number;
  bootId(): string | undefined;
  pidNamespace(): string | undefined;
  /** State letter and start time as /proc has them; undefined where no such process runs. */
  process(pid: number): { readonly state: string; readonly startTime: string } | undefined;
}

/** Linux's /proc; elsewhere it knows nothing but the pid. */
export const procTable: ProcessTable = {
  host: hostname(),
  pid: process.pid,
  bootId: () => attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
  pidNamespace: () => attempt(() => readlinkSync('/proc/self/ns/pid')),
  process(pid: number) {
    const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
    if (stat === undefined) return undefined;
    // proc_pid_stat(5): the name, in parentheses, may itself hold spaces and parentheses; state is field 3, start time 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTime] = [fields[0], fields[19]];
    return state === undefined || startTime === undefined ? undefined : { state, startTime };
  },
};

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** The identity of this process. */
export function identify(table: ProcessTable): ProcessIdentity {
  const bootId = table.bootId();
  const pidNamespace = table.pidNamespace();
  const startTime = table.process(table.pid)?.startTime;
  return {
    host: table.host,
    pid: table.pid,
    ...(bootId !== undefined && { bootId }),
    ...(startTime !== undefined && { startTime }),
    ...(pidNamespace !== undefined && { pidNamespace }),
  };
}

/**
 * Whether that process has certainly ended. False where it can't be known: on another host, in another
 * pid namespace, or where the platform does not tell; then only the end of its lease decides.
 */
export function isCertainlyDead(holder: ProcessIdentity, table: ProcessTable): boolean {
  const bootId = table.bootId();
  if (holder.host !== table.host || holder.bootId === undefined || bootId === undefined) return false;
  if (holder.bootId !== bootId) return true;
  if (holder.pidNamespace === undefined || holder.pidNamespace !== table.pidNamespace()) return false;
  if (holder.startTime === undefined) return false;
  const now = table.process(holder.pid);
  // A zombie has ended and only waits for its parent to take notice.
  return now === undefined || now.startTime !== holder.startTime || now.state === 'Z' || now.state === 'X';
}
