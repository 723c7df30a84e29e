/** How well the slots were used: the time they were busy against the time in which there was work. */
export class BusyTime {
  readonly #slots: number;
  #running = 0;
  #countedUntil = 0;
  #busyMs = 0;
  #workingMs = 0;
  #workingSince: number | undefined;

  constructor(slots: number) {
    this.#slots = slots;
  }

  get running(): number {
    return this.#running;
  }

  workBegins(now: number): void {
    this.#workingSince ??= now;
  }

  workEnds(now: number): void {
    if (this.#workingSince !== undefined) this.#workingMs += now - this.#workingSince;
    this.#workingSince = undefined;
  }

  slotTaken(now: number): void {
    this.#count(now);
    this.#running++;
  }

  slotFreed(now: number): void {
    this.#count(now);
    this.#running--;
  }

  /** busy ÷ (slots × makespan), the makespan being all time in which a task was queued or running; 1 before the first. */
  efficiency(now: number): number {
    this.#count(now);
    const workingMs = this.#workingMs + (this.#workingSince === undefined ? 0 : now - this.#workingSince);
    return workingMs === 0 ? 1 : this.#busyMs / (this.#slots * workingMs);
  }

  #count(now: number): void {
    this.#busyMs += this.#running * (now - this.#countedUntil);
    this.#countedUntil = now;
  }
}
