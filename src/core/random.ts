/** A source of numbers in [0, 1). Injected everywhere, so that a seed replays a run. */
export type Random = () => number;

/** The platform's generator. */
export const systemRandom: Random = () => Math.random();

/**
 * A generator that gives the same sequence for the same seed on every runtime.
 * @param seed - any integer; only its low 32 bits count.
 *
 * Source: sfc32 of PractRand (Chris Doty-Humphrey), seeded through splitmix32.
 */
export function seededRandom(seed: number): Random {
  if (!Number.isFinite(seed)) throw new RangeError(`seed must be a finite number, got ${seed}`);
  let mixed = seed | 0;
  const mix = (): number => {
    mixed = (mixed + 0x9e3779b9) | 0;
    let z = mixed;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) | 0;
  };
  let a = mix();
  let b = mix();
  let c = mix();
  let counter = 1;
  return () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 4_294_967_296;
  };
}
