/** A log-normal distribution of times in ms. */
export interface LogNormal {
  quantile(q: number): number;
  /** The share above `ms`. */
  above(ms: number): number;
  /** A time above `ms`: that of a share `u` of those. */
  beyond(ms: number, u: number): number;
}

const ROUNDS = 200;
const LEAST = 100;

/**
 * Fits a log-normal distribution to times that were seen, and a number that are only known to exceed `limit`, by expectation
 * maximisation. Undefined for too few, or for times that do not vary.
 *
 * Source: A. P. Dempster, N. M. Laird, D. B. Rubin, "Maximum likelihood from incomplete data via the EM algorithm", 1977, section 4.2.
 */
export function censoredLogNormal(seen: ArrayLike<number>, censored: number, limit: number): LogNormal | undefined {
  const n = seen.length;
  if (n < LEAST) return undefined;
  let [sum, squares] = [0, 0];
  for (let i = 0; i < n; i++) {
    const y = Math.log(Math.max(seen[i]!, 1e-3));
    sum += y;
    squares += y * y;
  }
  let mu = sum / n;
  let sigma = Math.sqrt(Math.max(0, squares / n - mu * mu));
  if (!(sigma > 0)) return undefined;
  const cut = Math.log(limit);
  for (let round = 0; round < ROUNDS; round++) {
    // Mean and mean square of what lies above the cut, as the present fit has it.
    const z = (cut - mu) / sigma;
    const hazard = density(z) / Math.max(tail(z), 1e-300);
    const first = mu + sigma * hazard;
    const second = mu * mu + sigma * sigma + sigma * (cut + mu) * hazard;
    const nextMu = (sum + censored * first) / (n + censored);
    const nextSigma = Math.sqrt(Math.max(1e-12, (squares + censored * second) / (n + censored) - nextMu * nextMu));
    const moved = Math.abs(nextMu - mu) + Math.abs(nextSigma - sigma);
    [mu, sigma] = [nextMu, nextSigma];
    if (moved < 1e-7) break;
  }
  const quantile = (q: number): number => Math.exp(mu + sigma * inverse(q));
  const above = (ms: number): number => tail((Math.log(ms) - mu) / sigma);
  return { quantile, above, beyond: (ms, u) => quantile(1 - above(ms) * (1 - u)) };
}

function density(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

// Abramowitz and Stegun 7.1.26 would lose the tail: W. J. Cody's rational form of erfc in the version of Numerical Recipes, 1.2e-7 relative.
function tail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const c = [-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277];
  let poly = 0;
  for (let i = c.length - 1; i >= 0; i--) poly = poly * t + c[i]!;
  const half = 0.5 * t * Math.exp(-x * x + poly);
  return z >= 0 ? half : 1 - half;
}

function inverse(q: number): number {
  let [low, high] = [-40, 40];
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (1 - tail(middle) < q) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
