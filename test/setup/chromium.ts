import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const ARGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

/** Debian's Chromium; undefined where it is not installed (`sh scripts/install-test-services.sh`). */
export const CHROMIUM: string | undefined = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));

/** @throws Error that says how to get one, where there is no Chromium */
export function launchChromium(...more: readonly string[]): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('There is no Chromium; install one: sh scripts/install-test-services.sh');
  return chromium.launch({ executablePath: CHROMIUM, args: [...ARGS.split(' '), ...more] });
}
