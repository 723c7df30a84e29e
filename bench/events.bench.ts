import { EventEmitter } from 'eventemitter3';
import { createNanoEvents } from 'nanoevents';
import { TypedEventBus } from '../src/core/event-bus.js';
import { type Comparison, compare, publish, toMarkdown } from './harness.js';

interface Events {
  tick: { readonly n: number };
  quiet: { readonly n: number };
}

const payload = { n: 1 };
let seen = 0;
const listener = ({ n }: { readonly n: number }): void => {
  seen += n;
};

const repeat = (work: () => void) => (iterations: number) => {
  for (let i = 0; i < iterations; i++) work();
  return seen;
};

/** What an event costs its emitter: with one listener, and with none, which is the common case. */
export default async function events(): Promise<void> {
  const bus = new TypedEventBus<Events>();
  bus.on('tick', listener);
  const silent = new TypedEventBus<Events>();
  const emitter = new EventEmitter();
  emitter.on('tick', listener);
  const nano = createNanoEvents<{ tick: typeof listener }>();
  nano.on('tick', listener);

  const one = await compare(
    'emit to one listener',
    [
      { name: 'direct call', role: 'floor', run: repeat(() => listener(payload)) },
      { name: 'EventBus (isolated)', role: 'ours', run: repeat(() => bus.emit('tick', payload)) },
      { name: 'eventemitter3', role: 'peer', run: repeat(() => void emitter.emit('tick', payload)) },
      { name: 'nanoevents (no isolation)', role: 'peer', run: repeat(() => nano.emit('tick', payload)) },
    ],
    {
      targets: (ns) => {
        const ratio = ns('EventBus (isolated)') / ns('eventemitter3');
        return [{ target: 'isolated emit ≤ 1.3 × eventemitter3', reached: `${ratio.toFixed(2)} ×`, met: ratio <= 1.3 }];
      },
    },
  );
  const none: Comparison = await compare(
    'emit with no listener',
    [
      { name: 'EventBus, nobody listens', role: 'ours', run: repeat(() => silent.emit('tick', payload)) },
      { name: 'EventBus, others listen', role: 'ours', run: repeat(() => bus.emit('quiet', payload)) },
      { name: 'eventemitter3', role: 'peer', run: repeat(() => void emitter.emit('quiet', payload)) },
    ],
    { targets: (ns) => [{ target: '≤ 3 ns', reached: `${ns('EventBus, nobody listens').toFixed(2)} ns`, met: ns('EventBus, nobody listens') <= 3 }] },
  );
  const guard = await compare('has(), the guard of hot paths', [
    { name: 'nobody listens', role: 'ours', run: repeat(() => void (seen += Number(silent.has('tick')))) },
    { name: 'others listen', role: 'ours', run: repeat(() => void (seen += Number(bus.has('quiet')))) },
  ]);
  publish('events', [one, none, guard].map(toMarkdown));
}
