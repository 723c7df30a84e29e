import { describe, expect, it } from 'vitest';
import { exponentialSmoothing, smoothDamped } from '../../../src/analytics/forecasting/exponential-smoothing.js';
import { forecast } from '../../../src/analytics/forecasting/forecast.js';
import { detectSeasons } from '../../../src/analytics/forecasting/season.js';
import { givenNoise, sharedFile } from './given.js';

/** A daily and a weekly rhythm of hours, with noise. */
function givenHours(n: number, { noise = 0.3, seed = 1 } = {}): Float64Array {
  return givenNoise(n, { seed }).map((e, i) => 100 + 10 * Math.sin((2 * Math.PI * i) / 24) + (i % 168 < 120 ? 6 : 0) + noise * e);
}

describe('forecast', () => {
  it('finds a daily and a weekly rhythm and follows both', () => {
    const all = givenHours(24 * 7 * 6 + 48);
    const { mean, intervals, seasons } = forecast(all.subarray(0, -48), { horizon: 48 });
    expect(seasons).toEqual([24, 168]);
    const actual = all.subarray(-48);
    const error = mean.reduce((sum, value, h) => sum + Math.abs(value - actual[h]!) / 48, 0);
    expect(error).toBeLessThan(0.5);
    const inside = actual.filter((value, h) => value >= intervals[1]!.low[h]! && value <= intervals[1]!.high[h]!);
    expect(inside.length).toBeGreaterThanOrEqual(44);
  });

  it('gives the intervals in the order that was asked for, the wider the likelier', () => {
    const { intervals } = forecast(givenHours(500), { horizon: 5, levels: [0.95, 0.5] });
    expect(intervals.map(({ level }) => level)).toEqual([0.95, 0.5]);
    for (let h = 0; h < 5; h++)
      expect(intervals[0]!.high[h]! - intervals[0]!.low[h]!).toBeGreaterThan(intervals[1]!.high[h]! - intervals[1]!.low[h]!);
  });

  it('is the same for the same values and seed', () => {
    expect(forecast(givenHours(300), { horizon: 10, seed: 3 })).toEqual(forecast(givenHours(300), { horizon: 10, seed: 3 }));
  });

  it('continues a straight line', () => {
    const { mean } = forecast(
      Array.from({ length: 60 }, (_, i) => i),
      { horizon: 5 },
    );
    expect(Array.from(mean, (value) => Math.round(value * 1e6) / 1e6)).toEqual([60, 61, 62, 63, 64]);
  });

  it('covers the next values of a random walk as often as it says', () => {
    let inside = 0;
    for (let seed = 1; seed <= 60; seed++) {
      let level = 0;
      const walk = givenNoise(210, { seed }).map((step) => (level += step));
      const { intervals } = forecast(walk.subarray(0, 200), { horizon: 10 });
      for (let h = 0; h < 10; h++) if (walk[200 + h]! >= intervals[1]!.low[h]! && walk[200 + h]! <= intervals[1]!.high[h]!) inside++;
    }
    expect(inside / 600).toBeGreaterThan(0.88);
  });

  it('says that a constant never changed', () => {
    const { mean, intervals, method } = forecast(new Float64Array(40).fill(5), { horizon: 3 });
    expect([Array.from(mean), Array.from(intervals[0]!.low)]).toEqual([
      [5, 5, 5],
      [5, 5, 5],
    ]);
    expect(method).toMatch(/constant/);
  });

  it('leaves out a season that is longer than the data, and says so', () => {
    const { method, seasons } = forecast(givenNoise(50), { horizon: 3, season: 40 });
    expect(seasons).toEqual([]);
    expect(method).toMatch(/season 40 left out/);
  });

  it.each([[1], [2], [5], [11], [12], [13], [30]])('forecasts from %i values, within bands of some width, never NaN', (n) => {
    const { mean, intervals, method } = forecast(givenNoise(n, { seed: 9 }), { horizon: 20 });
    for (const values of [mean, ...intervals.flatMap(({ low, high }) => [low, high])]) expect(values.every(Number.isFinite)).toBe(true);
    expect(intervals.every(({ low, high }) => high.every((value, h) => value > low[h]!))).toBe(true);
    expect(method).not.toBe('');
  });

  it('refuses what can not be forecast, naming the index', () => {
    expect(() => forecast([], { horizon: 1 })).toThrow(RangeError);
    expect(() => forecast([1, Number.NaN], { horizon: 1 })).toThrow(/values\[1\]/);
    expect(() => forecast([1, 2, -Infinity], { horizon: 1 })).toThrow(/values\[2\]/);
    expect(() => forecast([1, 2], { horizon: 0 })).toThrow(/horizon/);
    expect(() => forecast([1, 2], { horizon: 1, levels: [1] })).toThrow(/levels/);
    expect(() => forecast([1, 2], { horizon: 1, season: 0 })).toThrow(/season/);
    expect(() => forecast([1, 2], { horizon: 1, seasons: 24 } as never)).toThrow(/did you mean "season"/);
  });
});

describe('detectSeasons', () => {
  it('finds none in noise, white or wandering', () => {
    let wrong = 0;
    for (let seed = 1; seed <= 60; seed++) wrong += detectSeasons(givenNoise(400, { phi: seed % 2 === 0 ? 0 : 0.8, seed })).length;
    expect(wrong).toBeLessThanOrEqual(3);
  });

  it('finds a rhythm of seven under noise as strong as itself', () => {
    expect(detectSeasons(givenNoise(300).map((e, i) => 1.5 * Math.sin((2 * Math.PI * i) / 7) + e))).toEqual([7]);
  });
});

const goldenText = sharedFile('golden/forecast_golden.json');
const trainText = sharedFile('m4/hourly_train.csv');
const testText = sharedFile('m4/hourly_test.csv');

interface GoldenSmoothing {
  readonly ses_fixed: { readonly alpha: number; readonly l0: number; readonly forecast: number; readonly sse: number };
  readonly damped_fixed: {
    readonly alpha: number;
    readonly beta_star: number;
    readonly phi: number;
    readonly l0: number;
    readonly forecast: number[];
    readonly sse: number;
  };
  readonly hw_add_fixed: {
    readonly alpha: number;
    readonly beta_star: number;
    readonly gamma: number;
    readonly phi: number;
    readonly l0: number;
    readonly s0: number[];
    readonly forecast: number[];
    readonly sse: number;
  };
  readonly damped_opt: { readonly sse: number };
}

function readM4(text: string): Map<string, Float64Array> {
  return new Map(
    text
      .trim()
      .split(/\r?\n/)
      .map((line) => {
        const [id, ...values] = line.split(',');
        return [
          id!,
          Float64Array.from(
            values.filter((value) => value !== ''),
            Number,
          ),
        ];
      }),
  );
}

describe.skipIf(goldenText === undefined || trainText === undefined)('golden values of exponential smoothing (data beside the project)', () => {
  const train = trainText === undefined ? new Map<string, Float64Array>() : readM4(trainText);
  const golden = Object.entries(JSON.parse(goldenText ?? '{}') as Record<string, GoldenSmoothing>);

  it.each(golden)('%s, as statsmodels', (id, { ses_fixed: ses, damped_fixed: damped, hw_add_fixed: hw, damped_opt }) => {
    const y = train.get(id)!;
    const simple = exponentialSmoothing(y, { alpha: ses.alpha, level: ses.l0 });
    expect(simple.sse / ses.sse).toBeCloseTo(1, 9);
    expect(simple.forecast(1)[0]! / ses.forecast).toBeCloseTo(1, 9);
    const holt = exponentialSmoothing(y, { alpha: damped.alpha, beta: damped.beta_star, phi: damped.phi, level: damped.l0 });
    expect(holt.sse / damped.sse).toBeCloseTo(1, 9);
    for (const [h, value] of holt.forecast(48).entries()) expect(value / damped.forecast[h]!).toBeCloseTo(1, 6);
    const winters = exponentialSmoothing(y, { alpha: hw.alpha, beta: hw.beta_star, gamma: hw.gamma, phi: hw.phi, level: hw.l0, season: hw.s0 });
    expect(winters.sse / hw.sse).toBeCloseTo(1, 9);
    // At a whole season ahead statsmodels 0.13 uses the season's state from before the last observation.
    for (const [h, value] of winters.forecast(48).entries()) if (h % 24 !== 23) expect(value / hw.forecast[h]!).toBeCloseTo(1, 6);
    expect(smoothDamped(y).sse).toBeLessThanOrEqual(1.005 * damped_opt.sse);
  });
});

describe.skipIf(trainText === undefined || testText === undefined)('forecast on M4 Hourly (data beside the project)', () => {
  it('beats the seasonal naive forecast on every tenth series by a fifth', () => {
    const future = readM4(testText!);
    let ours = 0;
    let naive = 0;
    [...readM4(trainText!)]
      .filter((_, i) => i % 10 === 0)
      .forEach(([id, y]) => {
        const actual = future.get(id)!;
        let scale = 0;
        for (let i = 24; i < y.length; i++) scale += Math.abs(y[i]! - y[i - 24]!) / (y.length - 24);
        const { mean } = forecast(y, { horizon: 48 });
        for (let h = 0; h < 48; h++) {
          ours += Math.abs(mean[h]! - actual[h]!) / scale;
          naive += Math.abs(y[y.length - 24 + (h % 24)]! - actual[h]!) / scale;
        }
      });
    expect(ours).toBeLessThan(0.8 * naive);
  });
});
