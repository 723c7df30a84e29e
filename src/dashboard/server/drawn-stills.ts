import type { Stills, StillsTask } from '../report/stills.js';
import type { FirstLook } from '../view/first-look.js';
import type { Snapshot } from '../view/snapshot.js';

/** Stills are drawn once for all pages that are shown the same. */
export class DrawnStills {
  readonly #draw: (task: StillsTask) => Promise<Stills>;
  readonly #drawn = new WeakMap<Snapshot['charts'], Map<string, Promise<Stills>>>();

  constructor(draw: (task: StillsTask) => Promise<Stills>) {
    this.#draw = draw;
  }

  of(charts: Snapshot['charts'], look: FirstLook): Promise<Stills> {
    const looks = this.#drawn.get(charts) ?? new Map<string, Promise<Stills>>();
    this.#drawn.set(charts, looks);
    const key = `${look.scheme} ${look.size}`;
    let stills = looks.get(key);
    if (stills === undefined) {
      stills = this.#draw({ charts, scheme: look.scheme, size: look.size });
      stills.catch(() => looks.delete(key));
      looks.set(key, stills);
    }
    return stills;
  }
}
