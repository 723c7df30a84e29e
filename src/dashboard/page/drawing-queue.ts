import { systemClock } from '../../core/clock.js';
import type { ChartView, DrawingCode } from './chart-view.js';

/** A frame that takes longer than this leaves the page unanswered for too long; to show one is dear where there is no graphics card. */
const FRAME_MS = 250;

/**
 * Draws what has changed, what is in view first. What is out of view is drawn once, so that whoever
 * scrolls finds it, and again when it comes into view; nothing is while nobody looks at the page.
 */
export class DrawingQueue {
  readonly #page: Document;
  readonly #views: readonly ChartView[];
  readonly #inView = new Set<ChartView>();
  #code: DrawingCode | undefined;
  #isUnderWay = false;

  constructor(page: Document, views: readonly ChartView[]) {
    this.#page = page;
    this.#views = views;
    const byFigure = new Map<Element, ChartView>(views.map((view) => [view.figure, view]));
    const watch = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const view = byFigure.get(target)!;
        if (isIntersecting) this.#inView.add(view);
        else this.#inView.delete(view);
      }
      this.wake();
    });
    for (const view of views) {
      view.onStale = () => this.wake();
      watch.observe(view.figure);
    }
    page.addEventListener('visibilitychange', () => this.wake());
    page.defaultView!.addEventListener('beforeprint', () => this.#drawAll());
  }

  /** From now on it can draw. */
  begin(code: DrawingCode): void {
    this.#code = code;
    this.wake();
  }

  wake(): void {
    if (this.#isUnderWay || this.#code === undefined || this.#page.hidden || this.#next() === undefined) return;
    this.#isUnderWay = true;
    this.#page.defaultView!.requestAnimationFrame(() => {
      this.#isUnderWay = false;
      this.#frame(this.#code!);
      this.wake();
    });
  }

  #frame(code: DrawingCode): void {
    const started = systemClock.monotonic();
    do {
      this.#next()?.draw(code);
    } while (this.#next() !== undefined && systemClock.monotonic() - started < FRAME_MS);
  }

  #next(): ChartView | undefined {
    return this.#views.find((view) => view.isStale && this.#inView.has(view)) ?? this.#views.find((view) => view.isStale && !view.hasBeenDrawn);
  }

  // On paper everything is in view.
  #drawAll(): void {
    if (this.#code !== undefined) for (const view of this.#views) if (view.isStale) view.draw(this.#code);
  }
}
