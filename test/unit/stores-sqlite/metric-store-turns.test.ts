import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/core/clock.js';
import { DEFAULT_RETENTION } from '../../../src/stores/shared/retention.js';
import { MetricEngine } from '../../../src/stores/sqlite/metric-store-engine.js';

const { seen, enter, leave, watched } = vi.hoisted(() => {
  const seen = { calls: 0, outside: [] as string[] };
  let depth = 0;
  /** The same object, each call of which is counted. */
  const watched = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (_, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          seen.calls++;
          if (depth === 0) seen.outside.push(`${String(name)}(${args.map(String).join()})`);
          const result: unknown = Reflect.apply(value, target, args);
          return name === 'prepare' ? watched(result as object) : result;
        };
      },
    });
  return { seen, watched, enter: () => depth++, leave: () => depth-- };
});

vi.mock('../../../src/stores/sqlite/binding.js', async (original) => {
  const binding = await original<typeof import('../../../src/stores/sqlite/binding.js')>();
  return {
    ...binding,
    loadBinding: async () => {
      const Connection = await binding.loadBinding();
      return class {
        constructor(...args: ConstructorParameters<typeof Connection>) {
          // biome-ignore lint/correctness/noConstructorReturn: stands for the real connection.
          return watched(new Connection(...args));
        }
      };
    },
  };
});

// A call at the start of a slot was outside: a process that exited just then was ended by SIGABRT.
it('MetricEngine calls SQLite in turns alone, so that the exit of a process can wait for it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'venuekit-turns-'));
  const turn = <T>(work: () => T): T => {
    enter();
    try {
      return work();
    } finally {
      leave();
    }
  };
  const fill = async (engine: MetricEngine, minutes: number): Promise<void> => {
    for (let minute = 0; minute < minutes; minute++)
      await engine.append({ t: 1_704_067_200_000 + minute * 60_000, series: [{ name: 'm', labels: {} }], values: Float64Array.of(minute) });
  };
  const askAll = async (engine: MetricEngine): Promise<void> => {
    const asked = { metric: 'm', from: 0, to: 9e15 };
    await Promise.all([engine.query(asked), engine.query(asked, new AbortController().signal), engine.settled(), engine.retain(DEFAULT_RETENTION)]);
    engine.series();
    engine.stats();
    engine.newest();
    engine.alerts({ from: 0, to: 1 });
    engine.alertState({ do: 'openAlerts' });
  };
  try {
    const path = join(directory, 'm.db');
    // The opening is one phase, inside the gate from its beginning to its end.
    const open = async (readOnly: boolean): Promise<MetricEngine> => {
      enter();
      const engine = await MetricEngine.open({ path, readOnly, retention: DEFAULT_RETENTION }, systemClock, turn);
      leave();
      return engine;
    };
    const engine = await open(false);
    await fill(engine, 180);
    await askAll(engine);
    const reader = await open(true);
    await askAll(reader);
    await reader.close();
    await engine.close();
    expect(seen.calls).toBeGreaterThan(500);
    expect(seen.outside).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
