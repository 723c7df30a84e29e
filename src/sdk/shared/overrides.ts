type Method = (...args: unknown[]) => Promise<unknown>;
type AnyMethod = (...args: never[]) => unknown;

/**
 * Members of an object replaced on the object itself, so that its own helpers call them too, and put
 * back as they were.
 */
export class Overrides implements Disposable {
  readonly #target: Record<string, unknown>;
  readonly #before = new Map<string, PropertyDescriptor | undefined>();

  constructor(target: object) {
    this.#target = target as Record<string, unknown>;
  }

  /** Replaces `name` by what `make` gives for the method as it is. Does nothing where there is none. */
  wrap<M extends AnyMethod = Method>(name: string, make: (original: M) => M): void {
    const original = this.#target[name];
    if (typeof original === 'function') this.put(name, make((original as M).bind(this.#target) as M));
  }

  /** Puts `value` in the place of what stands there, or of nothing. */
  put(name: string, value: unknown): void {
    this.#define(name, { value, writable: true });
  }

  /** Puts what `get` gives in the place of what stands there, anew each time that it is read. */
  compute(name: string, get: () => unknown): void {
    this.#define(name, { get });
  }

  #define(name: string, descriptor: PropertyDescriptor): void {
    const own = Object.getOwnPropertyDescriptor(this.#target, name);
    if (!this.#before.has(name)) this.#before.set(name, own);
    Object.defineProperty(this.#target, name, { ...descriptor, configurable: true, enumerable: own?.enumerable ?? false });
  }

  [Symbol.dispose](): void {
    for (const [name, before] of this.#before) {
      if (before === undefined) Reflect.deleteProperty(this.#target, name);
      else Object.defineProperty(this.#target, name, before);
    }
    this.#before.clear();
  }
}
