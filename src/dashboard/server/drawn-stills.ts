import type { ChartData } from '../charts/chart.js';
import type { StillTask } from '../report/still.js';
import type { FirstLook } from '../view/first-look.js';

/** A still is drawn once for all pages that are shown the same, and each by itself: what is asked for first is there first. */
export class DrawnStills {
  readonly #draw: (task: StillTask) => Promise<string | undefined>;
  readonly #drawn = new WeakMap<ChartData, Map<string, Promise<string | undefined>>>();

  constructor(draw: (task: StillTask) => Promise<string | undefined>) {
    this.#draw = draw;
  }

  /** As SVG; undefined for a chart that has nothing to show. */
  of(chart: ChartData, { scheme, size }: FirstLook): Promise<string | undefined> {
    const looks = this.#drawn.get(chart) ?? new Map<string, Promise<string | undefined>>();
    this.#drawn.set(chart, looks);
    const key = `${scheme} ${size}`;
    let still = looks.get(key);
    if (still === undefined) {
      still = this.#draw({ chart, scheme, size });
      still.catch(() => looks.delete(key));
      looks.set(key, still);
    }
    return still;
  }
}
