import { parentPort, workerData } from 'node:worker_threads';
import type { AlertEvent } from '../../contracts/alerts.js';
import type { RangeQuery, SeriesKey } from '../../contracts/metric-store.js';
import { systemClock } from '../../core/clock.js';
import type { RetentionPolicy } from '../shared/retention.js';
import type { AlertStateCall } from './metric-store-alerts.js';
import { type StoreAnswer, type StoreRequest, sendError, type TickMessage } from './metric-store-channel.js';
import { type EngineOptions, MetricEngine } from './metric-store-engine.js';
import { ExitGate } from './metric-store-exit-gate.js';

/** The thread of a SqliteMetricStore: owns the database and closes it itself; nobody terminates it. */
const port = parentPort;
if (port === null) throw new Error('metric-store-worker is started by SqliteMetricStore, not imported');
const gate = new ExitGate((workerData as { readonly gate: SharedArrayBuffer }).gate);
const layouts = new Map<number, readonly SeriesKey[]>();
let engine: MetricEngine | undefined;

async function answer({ method, argument }: StoreRequest): Promise<unknown> {
  if (method === 'open') {
    engine = await MetricEngine.open(argument as EngineOptions, systemClock, gate.turn);
    return undefined;
  }
  if (engine === undefined) return undefined;
  if (method === 'append') {
    const { t, layout, series, values, sketches } = argument as TickMessage;
    if (series !== undefined) {
      layouts.clear();
      layouts.set(layout, series);
    }
    await engine.append({ t, series: layouts.get(layout) ?? [], values, ...(sketches === undefined ? {} : { sketches }) });
    return undefined;
  }
  if (method === 'query') return engine.query(argument as RangeQuery);
  if (method === 'series') return engine.series();
  if (method === 'retain') return engine.retain(argument as RetentionPolicy);
  if (method === 'saveAlert') return engine.saveAlert(argument as AlertEvent);
  if (method === 'alerts') return engine.alerts(argument as { readonly from: number; readonly to: number });
  if (method === 'alertState') return engine.alertState(argument as AlertStateCall);
  if (method === 'settled') return engine.settled();
  if (method === 'newest') return engine.newest();
  if (method === 'close') return engine.close();
  return engine.stats();
}

port.on('message', (request: StoreRequest) => {
  const reply = (message: StoreAnswer): void => {
    port.postMessage(message);
    // With nothing left to listen to, the thread ends by itself.
    if (request.method === 'close') port.close();
  };
  answer(request).then(
    (value) => reply({ id: request.id, value }),
    (error: unknown) => reply({ id: request.id, error: sendError(error) }),
  );
});
