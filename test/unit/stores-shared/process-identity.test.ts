import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { identify, isCertainlyDead, type ProcessTable, procTable } from '../../../src/stores/shared/process-identity.js';

const givenATable = (changes: Partial<ProcessTable> = {}): ProcessTable => ({
  host: 'box',
  pid: 7,
  bootId: () => 'boot 1',
  pidNamespace: () => 'pid:[1]',
  process: (pid) => (pid === 7 ? { state: 'S', startTime: '100' } : undefined),
  ...changes,
});

describe('isCertainlyDead', () => {
  const holder = identify(givenATable());

  it.each<[string, boolean, Partial<ProcessTable>]>([
    ['a process that runs', false, {}],
    ['a process that is gone', true, { process: () => undefined }],
    ['a pid that another process has now', true, { process: () => ({ state: 'S', startTime: '101' }) }],
    ['a process that has been killed and not yet been waited for', true, { process: () => ({ state: 'Z', startTime: '100' }) }],
    ['a process that is stopped', false, { process: () => ({ state: 'T', startTime: '100' }) }],
    ['a process of before the last reboot', true, { bootId: () => 'boot 2' }],
    ['a process of another host', false, { host: 'elsewhere', process: () => undefined }],
    ['a process of another container', false, { pidNamespace: () => 'pid:[2]', process: () => undefined }],
    ['a process seen from where there is no /proc', false, { bootId: () => undefined, process: () => undefined }],
  ])('takes %s for dead: %s', (_, expected, changes) => {
    expect(isCertainlyDead(holder, givenATable(changes))).toBe(expected);
  });

  it.each(['bootId', 'pidNamespace', 'startTime'] as const)('can not tell without the %s of the holder', (member) => {
    const { [member]: _, ...unsure } = holder;
    expect(isCertainlyDead(unsure, givenATable({ process: () => undefined }))).toBe(false);
  });
});

describe.runIf(existsSync('/proc/self/stat'))('procTable', () => {
  it('knows this process', () => {
    const identity = identify(procTable);
    expect(identity).toMatchObject({ pid: process.pid, bootId: expect.stringMatching(/^[0-9a-f-]{36}$/), startTime: expect.stringMatching(/^\d+$/) });
    expect(isCertainlyDead(identity, procTable)).toBe(false);
  });

  it('sees that a child has died', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const identity = identify({ ...procTable, pid: child.pid as number });
    expect(isCertainlyDead(identity, procTable)).toBe(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isCertainlyDead(identity, procTable)).toBe(true);
  });
});
