import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** Packs what would be published and gives the path of the tarball. Needs a build. */
export function packTarball(): string {
  const folder = mkdtempSync(join(tmpdir(), 'venuekit-pack-'));
  const printed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [packed] = JSON.parse(printed) as { filename: string }[];
  if (packed === undefined) throw new Error('npm pack printed no file name');
  return join(folder, packed.filename);
}

/**
 * Lays the tarball out as a host has it: the package in node_modules, beside it the dependencies
 * that it declares and no others, so that an undeclared import fails here and not at a user's.
 */
export function installPacked(tarball: string, alsoInstalled: readonly string[] = []): string {
  const host = mkdtempSync(join(tmpdir(), 'venuekit-host-'));
  const modules = join(host, 'node_modules');
  mkdirSync(join(modules, 'venuekit'), { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', join(modules, 'venuekit'), '--strip-components=1']);
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  for (const name of [...Object.keys(dependencies), ...alsoInstalled]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  return host;
}
