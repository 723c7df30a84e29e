const SQRT2 = Math.SQRT2;
const SQRT_PI = Math.sqrt(Math.PI);

/**
 * The complementary error function to double precision: Taylor series near 0, continued fraction
 * beyond.
 *
 * Source: Abramowitz and Stegun 1964, 7.1.6 and 7.1.14.
 */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x > 27) return 0;
  const e = Math.exp(-x * x);
  if (x < 2.5) {
    let term = x;
    let sum = x;
    for (let k = 1; Math.abs(term) > 1e-17 * sum; k++) {
      term *= (2 * x * x) / (2 * k + 1);
      sum += term;
    }
    return 1 - (2 / SQRT_PI) * e * sum;
  }
  let fraction = 0;
  for (let k = 80; k > 0; k--) fraction = k / 2 / (x + fraction);
  return e / (SQRT_PI * (x + fraction));
}

/** P(Z ≤ z) of the standard normal distribution. */
export function normalCdf(z: number): number {
  return erfc(-z / SQRT2) / 2;
}

/** P(|Z| ≥ |z|): the p-value of a two-sided test. */
export function twoSidedP(z: number): number {
  return erfc(Math.abs(z) / SQRT2);
}

/**
 * The z that a standard normal variable stays below with probability `p`, 0 < p < 1.
 *
 * Source: the rational start value of Abramowitz and Stegun 1964, 26.2.23, then Newton-Halley steps
 * on {@link normalCdf}.
 */
export function normalQuantile(p: number): number {
  if (p === 0.5) return 0;
  const tail = Math.min(p, 1 - p);
  const t = Math.sqrt(-2 * Math.log(tail));
  let z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (let step = 0; step < 3; step++) {
    const error = erfc(z / SQRT2) / 2 - tail;
    const u = error * Math.sqrt(2 * Math.PI) * Math.exp((z * z) / 2);
    z += u / (1 + (z * u) / 2);
  }
  return p < 0.5 ? -z : z;
}
