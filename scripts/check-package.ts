import { execFileSync } from 'node:child_process';
import { prebuilt, workers } from './entry-points.js';
import { packTarball } from './packed.js';

/** publint and are-the-types-wrong over what would be published. */
const tarball = packTarball();
const run = (tool: string, ...args: string[]): void => {
  try {
    execFileSync('npx', ['--no-install', tool, ...args], { stdio: 'inherit' });
  } catch {
    console.error(`${tool} found faults in the package`);
    process.exitCode = 1;
  }
};
run('publint', 'run', tarball, '--strict');
// Threads are started by path: they have no types, and nothing imports them.
run('attw', tarball, '--profile', 'node16', '--no-emoji', '--exclude-entrypoints', ...Object.keys({ ...workers, ...prebuilt }));
