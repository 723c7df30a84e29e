import { judge } from '../../test/workload/planted/judge.js';
import { PLANTED } from '../../test/workload/planted/planted.js';

/** A process of the analyzer's bench: judges the flaws and seeds that it is told, one line each. */
for (const { id, seed } of JSON.parse(process.argv[2]!) as readonly { readonly id: string; readonly seed: number }[])
  console.log(JSON.stringify(await judge(PLANTED.find((planted) => planted.id === id)!, seed)));
