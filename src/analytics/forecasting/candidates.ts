import { dampedHolt, theta } from './exponential-smoothing.js';
import type { Forecaster } from './forecaster.js';
import { seasonalNaive, seasonalProfile } from './naive.js';
import { ridgeAutoregression } from './ridge-autoregression.js';
import { differenced, logged } from './transforms.js';

/**
 * The forecasters that are combined for a series with these seasons (a basic one and possibly a
 * longer one; none: []). Levels, logarithms and differences see trends and levels differently, and
 * few or many lags trade noise against detail; which of them suit is for the back-test to say.
 */
export function candidatesFor(seasons: readonly number[]): readonly Forecaster[] {
  const [season, longer] = seasons;
  if (season === undefined) return withoutSeason();
  return longer === undefined ? withSeason(season) : withTwoSeasons(season, longer);
}

function withoutSeason(): readonly Forecaster[] {
  const ar = (name: string): Forecaster => ridgeAutoregression(name, [1, 2, 3, 4, 5]);
  return [seasonalNaive(1), dampedHolt, theta, ar('ar'), logged(ar('log ar')), differenced(1, ar('ar of changes'))];
}

function withSeason(m: number): readonly Forecaster[] {
  const sparse = distinct([1, 2, 3, m, m + 1, m + 2, 2 * m]);
  const dense = distinct([...upTo(m + 2), 2 * m]);
  return [
    ridgeAutoregression('ar', sparse),
    logged(ridgeAutoregression('log ar', sparse)),
    differenced(1, ridgeAutoregression('ar of changes', distinct([1, 2, 3, m - 1, m, m + 1, 2 * m]))),
    differenced(m, ridgeAutoregression('ar of seasonal changes', sparse)),
    logged(differenced(m, ridgeAutoregression('log ar of seasonal changes', sparse))),
    ridgeAutoregression('dense ar', dense),
    logged(ridgeAutoregression('dense log ar', dense)),
    seasonalNaive(m),
    seasonalProfile(m, 3),
    // Where what repeats is not the season, as on a lone spike or a fresh level.
    dampedHolt,
  ];
}

function withTwoSeasons(m: number, longer: number): readonly Forecaster[] {
  const short = distinct([1, 2, 3, m, m + 1, m + 2, 2 * m]);
  const sparse = distinct([...short, longer, longer + 1, longer + 2]);
  const dense = distinct([...upTo(m + 2), 2 * m, longer - 1, longer, longer + 1, longer + 2]);
  return [
    ridgeAutoregression('ar', sparse),
    logged(ridgeAutoregression('log ar', sparse)),
    differenced(1, ridgeAutoregression('ar of changes', distinct([1, 2, 3, m - 1, m, m + 1, 2 * m, longer - 1, longer, longer + 1]))),
    differenced(m, ridgeAutoregression('ar of seasonal changes', sparse)),
    differenced(longer, ridgeAutoregression('ar of longer seasonal changes', short)),
    logged(differenced(m, ridgeAutoregression('log ar of seasonal changes', sparse))),
    logged(differenced(longer, ridgeAutoregression('log ar of longer seasonal changes', short))),
    ridgeAutoregression('dense ar', dense),
    logged(ridgeAutoregression('dense log ar', dense)),
    seasonalNaive(m),
    seasonalNaive(longer),
    seasonalProfile(m, Math.round(longer / m)),
  ];
}

// A season of hundreds of points would make the regression dense beyond use: its nearest lags are enough.
function upTo(longest: number): readonly number[] {
  return Array.from({ length: Math.min(longest, 30) }, (_, i) => i + 1);
}

function distinct(lags: readonly number[]): readonly number[] {
  return [...new Set(lags)].filter((lag) => lag > 0);
}
