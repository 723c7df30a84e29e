import { abortable } from '../../core/abort.js';
import type { Clock } from '../../core/clock.js';
import { asError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { mergeTick, sliceSince } from '../view/merge.js';
import type { DashboardReader } from '../view/reader.js';
import type { Assessment, Snapshot } from '../view/snapshot.js';
import type { View } from '../view/view.js';
import type { EventSink } from './answer.js';
import { keptForMs } from './opening-stills.js';

/** What a {@link LiveChannel} works with. */
export interface LiveChannelOptions {
  readonly view: View;
  readonly reader: DashboardReader;
  readonly clock: Clock;
  readonly logger: Logger | undefined;
  /** Called with what has been read, whenever it has. */
  readonly onRead?: (snapshot: Snapshot) => void;
  /** Whether it is read also while nobody watches, now and then. */
  readonly isKept?: boolean;
  /** Called when nobody has watched for a while, unless it is kept. */
  readonly onIdle: () => void;
}

interface Page {
  readonly sink: EventSink;
  /** Epoch ms: it has everything up to here; undefined while it has nothing. */
  at: number | undefined;
  explanationAt: number;
  /** What it was sent last: the same again need not be. */
  charts: Snapshot['charts'] | undefined;
  /** Since when its connection has been full. */
  fullSince: number | undefined;
}

const TICK_MS = 1_000;
/** Behind the second, so that what the bot keeps at each second is there. */
const TICK_AFTER_MS = 150;
/** Charts whose columns are longer are read again after this all the same: alerts may have changed. */
const READ_AGAIN_MS = 10_000;
/** What takes long begins when those who came first have drawn what there is: on a machine of few cores they would wait for it. */
const WORK_OUT_AFTER_MS = 1_500;
const ASSESS_AGAIN_MS = 60_000;
const EXPLAIN_AGAIN_MS = 30_000;
/** A client that has taken nothing for so long is no longer there. */
const GIVE_UP_MS = 60_000;
const IDLE_MS = 30_000;

/**
 * The pages that watch the same view. Read once a tick for all of them: a page gets a snapshot, then
 * ticks; one that was away, or too slow to take some, gets what it missed in one. What a page had
 * last it tells by `Last-Event-ID`, which is a time: what it missed is in the store, also when this
 * process was not there meanwhile.
 */
export class LiveChannel implements Disposable {
  readonly #options: LiveChannelOptions;
  readonly #pages = new Set<Page>();
  readonly #over = new AbortController();
  #snapshot: Snapshot | undefined;
  /** Epoch ms: since when there has been something to show, to somebody. */
  #shownAt: number | undefined;
  #readAt = -Infinity;
  #assessedAt = -Infinity;
  #assessMs = 0;
  #explainedAt = -Infinity;
  #assessment: Pick<Snapshot['strip'], 'assessment' | 'assessmentError'> = {};
  #work: Promise<void> | undefined;
  #timer: Disposable | undefined;
  #idleSince: number | undefined;

  constructor(options: LiveChannelOptions) {
    this.#options = options;
    this.#begin();
  }

  /** Pages that watch. */
  get size(): number {
    return this.#pages.size;
  }

  /** @param lastEventId of the last event that the page had, if any */
  add(sink: EventSink, lastEventId: string | undefined): Disposable {
    const had = Number(lastEventId);
    const page: Page = {
      sink,
      at: lastEventId !== undefined && Number.isFinite(had) ? had : undefined,
      explanationAt: -Infinity,
      charts: undefined,
      fullSince: undefined,
    };
    this.#pages.add(page);
    this.#idleSince = undefined;
    sink.write('retry: 1000\n\n');
    if (this.#snapshot !== undefined) this.#send(page, this.#snapshot, new Map());
    return { [Symbol.dispose]: () => void this.#pages.delete(page) };
  }

  /**
   * What a new page is told first, as soon as it has been read; for one that asks before its script runs.
   * Undefined where it could not be read.
   * @throws the signal's reason
   */
  async first(signal: AbortSignal): Promise<{ readonly start: number; readonly snapshot: Snapshot } | undefined> {
    this.#idleSince = undefined;
    if (this.#snapshot === undefined && this.#work !== undefined) await abortable(this.#work, signal);
    return this.#snapshot === undefined ? undefined : { start: this.#snapshot.grid.from, snapshot: this.#snapshot };
  }

  [Symbol.dispose](): void {
    this.#over.abort(new DOMException('The dashboard was closed', 'AbortError'));
    this.#timer?.[Symbol.dispose]();
    for (const { sink } of this.#pages) sink.end();
    this.#pages.clear();
  }

  #begin(): void {
    this.#work = this.#tick().finally(() => {
      this.#work = undefined;
    });
    this.#schedule();
  }

  #schedule(): void {
    const { clock } = this.#options;
    const now = clock.now();
    const next = Math.floor((now - TICK_AFTER_MS) / TICK_MS + 1) * TICK_MS + TICK_AFTER_MS;
    this.#timer = clock.schedule(next - now, () => {
      this.#schedule();
      // One reading at a time: a slow store makes fewer ticks, not more of them at once.
      this.#work ??= this.#tick().finally(() => {
        this.#work = undefined;
      });
    });
  }

  async #tick(): Promise<void> {
    const { clock, logger, onIdle, onRead, isKept = false } = this.#options;
    const now = clock.now();
    if (this.#pages.size === 0) {
      this.#idleSince ??= now;
      // The first reading serves whoever comes next, at once.
      if (!isKept && now - this.#idleSince >= IDLE_MS) onIdle();
      const kept = this.#snapshot;
      if (kept !== undefined && !(isKept && Math.abs(now - this.#readAt) >= keptForMs(kept.grid.stepMs))) return;
    }
    try {
      const before = this.#snapshot;
      this.#snapshot = await this.#next(now);
      if (this.#snapshot.charts !== before?.charts) onRead?.(this.#snapshot);
    } catch (error) {
      if (!this.#over.signal.aborted) logger?.warn({ error: asError(error) }, 'the dashboard could not read its store');
      return;
    }
    const written = new Map<string, string>();
    for (const page of this.#pages) this.#send(page, this.#snapshot, written);
    if (this.#pages.size > 0) this.#shownAt ??= clock.now();
    if (this.#shownAt === undefined || now - this.#shownAt < WORK_OUT_AFTER_MS) return;
    this.#assess(now);
    this.#explain(now);
  }

  async #next(now: number): Promise<Snapshot> {
    const { reader, view } = this.#options;
    const { selected, rangeMs } = view;
    const { signal } = this.#over;
    // A clock that was set back: what is shown lies ahead of it, and would stand still until it has caught up.
    if (now < this.#readAt) this.#beginAnew();
    const before = this.#snapshot;
    const to = view.to ?? now;
    if (before === undefined) {
      this.#readAt = now;
      return this.#dressed(await reader.snapshot({ from: to - rangeMs, to }, selected, signal));
    }
    const { stepMs } = before.grid;
    const isDue = view.to === undefined && (to - before.grid.to >= stepMs || now - this.#readAt >= READ_AGAIN_MS);
    if (!isDue)
      return this.#dressed({
        ...before,
        at: to === view.to ? now : to,
        strip: { ...before.strip, alerts: reader.canSilence ? await reader.openAlerts(to) : before.strip.alerts },
      });
    this.#readAt = now;
    // The last two columns again: what came late belongs to them.
    const tail = await reader.tail(before, { since: before.grid.to + 1 - 2 * stepMs, from: to - rangeMs, to }, selected, signal);
    return this.#dressed(mergeTick(before, tail, to - rangeMs));
  }

  #beginAnew(): void {
    this.#snapshot = undefined;
    if (this.#assessedAt !== Infinity) this.#assessedAt = -Infinity;
    if (this.#explainedAt !== Infinity) this.#explainedAt = -Infinity;
    this.#shownAt = undefined;
    this.#idleSince = undefined;
  }

  #dressed(snapshot: Snapshot): Snapshot {
    return { ...snapshot, strip: { ...snapshot.strip, ...this.#assessment } };
  }

  #send(page: Page, snapshot: Snapshot, written: Map<string, string>): void {
    const { clock } = this.#options;
    if (page.sink.isFull) {
      page.fullSince ??= clock.monotonic();
      if (clock.monotonic() - page.fullSince < GIVE_UP_MS) return;
      page.sink.end();
      this.#pages.delete(page);
      return;
    }
    page.fullSince = undefined;
    const { at, grid } = snapshot;
    const since = page.at === undefined ? -Infinity : page.at - 2 * grid.stepMs;
    const isKnown = page.at !== undefined && page.at <= at && since > grid.from;
    const isSame = isKnown && page.charts === snapshot.charts;
    const key = isKnown ? `${page.at}/${page.explanationAt}/${isSame}` : 'snapshot';
    let text = written.get(key);
    if (text === undefined) {
      const data = isKnown
        ? { start: grid.from, snapshot: isSame ? { ...snapshot, charts: [] } : sliceSince(snapshot, since, page.explanationAt) }
        : { start: grid.from, snapshot };
      text = `id: ${at}\nevent: ${isKnown ? 'tick' : 'snapshot'}\ndata: ${JSON.stringify(data)}\n\n`;
      written.set(key, text);
    }
    page.sink.write(text);
    page.at = at;
    page.charts = snapshot.charts;
    page.explanationAt = snapshot.charts.find(({ explanation }) => explanation !== undefined)?.explanation?.at ?? page.explanationAt;
  }

  #assess(now: number): void {
    const { reader, clock, logger } = this.#options;
    const isFixed = this.#options.view.to !== undefined;
    if (this.#assessedAt === Infinity || now - this.#assessedAt < Math.max(ASSESS_AGAIN_MS, 10 * this.#assessMs)) return;
    if (isFixed && this.#assessment.assessment !== undefined) return;
    const { grid } = this.#snapshot!;
    const started = clock.monotonic();
    this.#assessedAt = Infinity;
    const done = (result: { readonly assessment: Assessment } | { readonly assessmentError: string }): void => {
      this.#assessMs = clock.monotonic() - started;
      this.#assessedAt = clock.now();
      this.#assessment = result;
    };
    reader.assess({ from: grid.from, to: Math.max(grid.to, grid.from + 1) }, this.#over.signal).then(
      (assessment) => done({ assessment }),
      (error: unknown) => {
        if (this.#over.signal.aborted) return;
        logger?.warn({ error: asError(error) }, 'the dashboard could not analyse its range');
        done({ assessmentError: `not analysed: ${asError(error).message}` });
      },
    );
  }

  #explain(now: number): void {
    const { reader, logger, clock } = this.#options;
    const snapshot = this.#snapshot!;
    const chart = snapshot.charts.find(({ id }) => id === 'metric');
    if (chart === undefined || this.#explainedAt === Infinity) return;
    const isFixed = this.#options.view.to !== undefined;
    if (now - this.#explainedAt < Math.max(EXPLAIN_AGAIN_MS, snapshot.grid.stepMs) || (isFixed && chart.explanation !== undefined)) return;
    this.#explainedAt = Infinity;
    reader.explain(chart, this.#over.signal).then(
      (explanation) => {
        this.#explainedAt = clock.now();
        const current = this.#snapshot!;
        if (explanation === undefined) return;
        this.#snapshot = { ...current, charts: current.charts.map((one) => (one.id === 'metric' ? { ...one, explanation } : one)) };
      },
      (error: unknown) => {
        this.#explainedAt = clock.now();
        if (!this.#over.signal.aborted) logger?.warn({ error: asError(error) }, 'the dashboard could not explain the selected metric');
      },
    );
  }
}
