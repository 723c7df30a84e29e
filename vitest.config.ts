import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** `expect.poll` waits for what is to come: how long that takes is a matter of the machine, and never what is judged. */
const EXPECT = { poll: { timeout: 30_000, interval: 20 } };

/** Where the newest versions of the SDKs are, for `npm run test:newest`; else it is those that are installed here. */
const newest = process.env.VENUEKIT_NEWEST_SDKS;
const SDKS = ['ccxt', 'alpaca-v3', '@alpacahq/alpaca-trade-api', '@binance/connector', '@binance/spot', 'binance', 'binance-api-node'];
const alias = newest === undefined ? [] : SDKS.map((name) => ({ find: new RegExp(`^${name}$`), replacement: `${newest}/node_modules/${name}` }));

export default defineConfig({
  test: {
    // Many files wait for processes that they start, and leave the processor to others meanwhile: one more than there are cores.
    maxWorkers: availableParallelism() + 1,
    // What needs a build or minutes has a project of its own; see the scripts in package.json.
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{unit,property}/**/*.test.ts'],
          // Short files: to start a process for each takes longer than most of them.
          pool: 'threads',
          globalSetup: ['test/setup/store-programs.ts'],
          setupFiles: ['test/setup/loopback-only.ts'],
          expect: EXPECT,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'integration',
          include: ['test/{integration,simulation}/**/*.test.ts'],
          globalSetup: ['test/setup/store-programs.ts'],
          setupFiles: ['test/setup/loopback-only.ts'],
          expect: EXPECT,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'dist',
          include: ['test/dist/**/*.test.ts'],
          setupFiles: ['test/setup/loopback-only.ts'],
          expect: EXPECT,
          testTimeout: 180_000,
          hookTimeout: 240_000,
        },
      },
    ],
  },
});
