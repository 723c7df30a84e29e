import { type Logs, soFar } from './progress.js';
import { loadSession } from './recorded-session.js';
import { readSettings } from './settings.js';

const settings = readSettings(process.argv);
const stop = new AbortController();
const logs: Logs = new Map();

let interrupted = false;
process.once('SIGINT', () => {
  interrupted = true;
  stop.abort(new Error('interrupted'));
});

try {
  const bars = loadSession(settings.data);
  // The SDK takes seconds to load: what is wrong with the command line or its file is said before.
  const { runSession } = await import('./session.js');
  await runSession({ settings, bars, stop, logs });
} catch (error) {
  if (interrupted) {
    console.error(`\nInterrupted; everything is closed. Until then: ${soFar(logs)}`);
    process.exitCode = 130;
  } else {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
