import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { AlertEvent } from '../../contracts/alerts.js';
import type { MetricTick, RangeQuery, SeriesKey } from '../../contracts/metric-store.js';
import { systemClock } from '../../core/clock.js';
import { closedError } from '../../core/errors.js';
import type { RetentionPolicy } from '../shared/retention.js';
import type { AlertStateCall } from './metric-store-alerts.js';
import { type StoreAnswer, type StoreRequest, sendError, type TickMessage } from './metric-store-channel.js';
import { type EngineOptions, MetricEngine } from './metric-store-engine.js';
import { ExitGate } from './metric-store-exit-gate.js';

/** The thread of a SqliteMetricStore: owns the database and closes it itself; nobody terminates it. */
const port = parentPort;
if (port === null) throw new Error('metric-store-worker is started by SqliteMetricStore, not imported');
const gate = new ExitGate((workerData as { readonly gate: SharedArrayBuffer }).gate);
// Bounds how long one commit holds the thread.
const MOST_TICKS_TOGETHER = 64;
const layouts = new Map<number, readonly SeriesKey[]>();
let engine: MetricEngine | undefined;

async function answer({ method, argument }: StoreRequest): Promise<unknown> {
  if (method === 'open') {
    engine = await gate.phase(() => MetricEngine.open(argument as EngineOptions, systemClock, gate.turn));
    return undefined;
  }
  if (engine === undefined) return undefined;
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

function toTick({ t, layout, series, values, sketches }: TickMessage): MetricTick {
  if (series !== undefined) {
    layouts.clear();
    layouts.set(layout, series);
  }
  return { t, series: layouts.get(layout) ?? [], values, ...(sketches === undefined ? {} : { sketches }) };
}

function answerTo({ id }: StoreRequest, error: unknown): StoreAnswer {
  return error === undefined ? { id, value: undefined } : { id, error: sendError(error) };
}

function send(answers: readonly StoreAnswer[]): void {
  port?.postMessage(answers);
}

/** In one commit, made before this returns; answered when its writers may go on. */
function append(requests: readonly StoreRequest[]): void {
  const ticks = requests.map(({ argument }) => toTick(argument as TickMessage));
  const committed = engine?.appendTogether(ticks) ?? Promise.reject(closedError('SqliteMetricStore'));
  committed.then(
    (refused) => send(requests.map((request, i) => answerTo(request, refused[i]))),
    (error: unknown) => send(requests.map((request) => answerTo(request, error))),
  );
}

function serve(request: StoreRequest): void {
  const reply = (message: StoreAnswer): void => {
    send([message]);
    // With nothing left to listen to, the thread ends by itself.
    if (request.method === 'close') port?.close();
  };
  answer(request).then(
    (value) => reply({ id: request.id, value }),
    (error: unknown) => reply({ id: request.id, error: sendError(error) }),
  );
}

port.on('message', (request: StoreRequest) => {
  if (request.method !== 'append') return serve(request);
  // Ticks that have come by now share a commit, which costs more than a row does; what was asked after them waits for it.
  const appends = [request];
  let other: StoreRequest | undefined;
  while (other === undefined && appends.length < MOST_TICKS_TOGETHER) {
    const next = receiveMessageOnPort(port)?.message as StoreRequest | undefined;
    if (next === undefined) break;
    if (next.method === 'append') appends.push(next);
    else other = next;
  }
  append(appends);
  if (other !== undefined) serve(other);
});
