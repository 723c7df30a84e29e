import type { ChartData, ChartId } from '../charts/chart.js';
import type { StillSize, StillTask } from '../report/still.js';
import type { Snapshot } from '../view/snapshot.js';

/** Pictures of a view's charts, as SVG that stands in the page. */
export type Stills = ReadonlyMap<ChartId, string>;

const COLUMNS_BEHIND = 10;
const LEAST_MS = 30_000;

/** How far what is kept of a view may be behind while nobody watches it: a few columns, which a page has had a moment later. */
export const keptForMs = (stepMs: number): number => Math.max(LEAST_MS, COLUMNS_BEHIND * stepMs);

interface Drawn {
  readonly at: number;
  readonly stepMs: number;
  readonly stills: Readonly<Record<StillSize, Stills>>;
}

/** Keeps pictures of the views that pages open with, drawn before anybody asks: such a page comes with its charts. */
export class OpeningStills {
  readonly #draw: (task: StillTask) => Promise<string | undefined>;
  readonly #drawn = new Map<string, Drawn>();
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(draw: (task: StillTask) => Promise<string | undefined>) {
    this.#draw = draw;
  }

  /** Draws what has been read of a view, where what is drawn of it is too far behind. Rejects with what kept it from that. */
  offer(view: string, snapshot: Snapshot): Promise<void> {
    const drawn = this.#drawn.get(view);
    const { at, grid } = snapshot;
    if (drawn !== undefined && at >= drawn.at && at - drawn.at < keptForMs(grid.stepMs)) return Promise.resolve();
    let underWay = this.#underWay.get(view);
    if (underWay === undefined) {
      underWay = this.#drawAll(view, snapshot).finally(() => this.#underWay.delete(view));
      this.#underWay.set(view, underWay);
    }
    return underWay;
  }

  /** Those of a view; undefined where there are none that are of this moment. */
  of(view: string, size: StillSize, now: number): Stills | undefined {
    const drawn = this.#drawn.get(view);
    return drawn === undefined || Math.abs(now - drawn.at) > 2 * keptForMs(drawn.stepMs) ? undefined : drawn.stills[size];
  }

  async #drawAll(view: string, { at, grid, charts }: Snapshot): Promise<void> {
    const stills = { wide: await this.#stills(charts, 'wide'), narrow: await this.#stills(charts, 'narrow') };
    this.#drawn.set(view, { at, stepMs: grid.stepMs, stills });
  }

  async #stills(charts: readonly ChartData[], size: StillSize): Promise<Stills> {
    const stills = new Map<ChartId, string>();
    // One by one: what somebody waits for may come between.
    for (const chart of charts) {
      const svg = await this.#draw({ chart, size });
      if (svg !== undefined) stills.set(chart.id, svg);
    }
    return stills;
  }
}
