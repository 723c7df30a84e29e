import { IsolationForest as Peer } from 'ml-isolation-forest';
import { describe, expect, it } from 'vitest';
import { contaminationThreshold, IsolationForest } from '../../../src/analytics/isolation-forest.js';
import { pathLengthOfSearch } from '../../../src/analytics/isolation-trees.js';
import { seededRandom } from '../../../src/core/random.js';
import { normal, sharedFile } from './given.js';

function givenCloudWithOutliers({ rows = 500, outliers = 10, columns = 4, seed = 1 } = {}): number[][] {
  const random = seededRandom(seed);
  return Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, () => normal(random) + (i < outliers ? 6 : 0)));
}

function auc(scores: ArrayLike<number>, isAnomaly: (row: number) => boolean): number {
  let wins = 0;
  let pairs = 0;
  for (let i = 0; i < scores.length; i++) {
    if (!isAnomaly(i)) continue;
    for (let j = 0; j < scores.length; j++) {
      if (isAnomaly(j)) continue;
      pairs++;
      wins += scores[i]! > scores[j]! ? 1 : scores[i] === scores[j] ? 0.5 : 0;
    }
  }
  return wins / pairs;
}

interface Tampered {
  readonly roots: number[];
  readonly feature: number[];
  readonly split: number[];
}

describe('IsolationForest', () => {
  it('scores what is few and different above everything else', () => {
    const rows = givenCloudWithOutliers();
    const scores = new IsolationForest().fit(rows).score(rows);
    expect(auc(scores, (row) => row < 10)).toBeGreaterThan(0.999);
    expect(scores.every((score) => score > 0 && score < 1)).toBe(true);
  });

  it('finds outliers as well as ml-isolation-forest does', () => {
    const rows = givenCloudWithOutliers({ seed: 5, outliers: 20 }).map((row, i) => (i < 20 ? row.map((x) => x - 3.5) : row));
    const peer = new Peer({ nEstimators: 100 });
    peer.train(rows);
    const ours = auc(new IsolationForest().fit(rows).score(rows), (row) => row < 20);
    expect(ours).toBeGreaterThan(auc(peer.predict(rows), (row) => row < 20) - 0.02);
  });

  it('gives the same scores for the same rows, and others for another seed', () => {
    const rows = givenCloudWithOutliers();
    const scores = (seed: number): Float64Array => new IsolationForest({ seed }).fit(rows).score(rows);
    expect(scores(7)).toEqual(scores(7));
    expect(scores(7)).not.toEqual(scores(8));
  });

  it('forgets earlier trees when it is fitted again', () => {
    const [first, second] = [givenCloudWithOutliers({ seed: 1 }), givenCloudWithOutliers({ seed: 2, columns: 2 })];
    const forest = new IsolationForest().fit(first).fit(second);
    expect(forest.score(second)).toEqual(new IsolationForest().fit(second).score(second));
  });

  it('takes rows in one flat array as well', () => {
    const rows = givenCloudWithOutliers();
    const flat = { data: Float64Array.from(rows.flat()), columns: 4 };
    expect(new IsolationForest().fit(flat).score(flat)).toEqual(new IsolationForest().fit(rows).score(rows));
  });

  it('survives JSON, and scores the same after', () => {
    const rows = givenCloudWithOutliers({ rows: 80 });
    const forest = new IsolationForest({ trees: 20 }).fit(rows);
    const back = IsolationForest.fromJSON(JSON.parse(JSON.stringify(forest)));
    expect(back.score(rows)).toEqual(forest.score(rows));
  });

  it('refuses a saved forest whose trees lead nowhere', () => {
    const saved = JSON.parse(JSON.stringify(new IsolationForest({ trees: 2 }).fit(givenCloudWithOutliers({ rows: 20 }))));
    saved.child[saved.roots[0]] = saved.roots[0];
    expect(() => IsolationForest.fromJSON(saved)).toThrow(/no tree at node/);
    expect(() => IsolationForest.fromJSON({ format: 'other' })).toThrow(/format/);
    expect(() => IsolationForest.fromJSON(null)).toThrow(TypeError);
  });

  it.each([
    ['a leaf of negative depth', (saved: Tampered) => (saved.split[saved.feature.indexOf(-1)] = -50), /no tree at node/],
    ['a leaf deeper than a tree can be', (saved: Tampered) => (saved.split[saved.feature.indexOf(-1)] = 1e300), /no tree at node/],
    ['a tree less than it says', (saved: Tampered) => saved.roots.pop(), /json\.roots must be 2, one a tree, got 1/],
    ['a column that rows have not', (saved: Tampered) => (saved.feature[saved.roots[0]!] = 7), /no tree at node/],
  ])('refuses a saved forest with %s', (_, tamper, message) => {
    const saved = JSON.parse(JSON.stringify(new IsolationForest({ trees: 2 }).fit(givenCloudWithOutliers({ rows: 20 })))) as Tampered;
    tamper(saved);
    expect(() => IsolationForest.fromJSON(saved)).toThrow(message);
  });

  it('is neutral about rows that are all the same, and about a single one', () => {
    const same = new IsolationForest()
      .fit([
        [1, 2],
        [1, 2],
        [1, 2],
      ])
      .score([
        [1, 2],
        [9, 9],
      ]);
    for (const score of same) expect(score).toBeCloseTo(0.5, 12);
    expect(Array.from(new IsolationForest().fit([[1]]).score([[1]]))).toEqual([0.5]);
  });

  it.each([
    ['no rows', [], RangeError, /at least one row/],
    ['a row without columns', [[]], RangeError, /row 0/],
    ['ragged rows', [[1, 2], [3]], RangeError, /row 1 must have 2 columns, got 1/],
    [
      'NaN',
      [
        [1, 2],
        [3, Number.NaN],
      ],
      RangeError,
      /row 1, column 1/,
    ],
    ['Infinity', [[Infinity]], RangeError, /row 0, column 0/],
  ])('refuses %s, naming where', (_, rows, error, message) => {
    expect(() => new IsolationForest().fit(rows as number[][])).toThrow(error);
    expect(() => new IsolationForest().fit(rows as number[][])).toThrow(message);
  });

  it('refuses to score before it is fitted, and rows of another width', () => {
    expect(() => new IsolationForest().score([[1]])).toThrow(RangeError);
    expect(() => new IsolationForest().fit([[1, 2]]).score([[1]])).toThrow(/2 columns/);
  });

  it('refuses options that can not be meant', () => {
    expect(() => new IsolationForest({ trees: 0 })).toThrow(/trees.*1 or more.*0/);
    expect(() => new IsolationForest({ sampleSize: 1.5 })).toThrow(RangeError);
    expect(() => new IsolationForest({ seed: Number.NaN })).toThrow(/seed/);
    expect(() => new IsolationForest({ tree: 5 } as object)).toThrow(/did you mean "trees"/);
  });

  it('puts the asked share of rows above its contamination threshold', () => {
    const scores = new IsolationForest().fit(givenCloudWithOutliers()).score(givenCloudWithOutliers());
    const threshold = contaminationThreshold(scores, 0.02);
    expect(scores.filter((score) => score > threshold)).toHaveLength(10);
  });

  it('measures paths by the mean search path c(n) of the paper', () => {
    expect([1, 2].map(pathLengthOfSearch)).toEqual([0, 1]);
    expect(pathLengthOfSearch(256)).toBeCloseTo(10.2448, 4);
  });

  const cardio = sharedFile('adbench/cardio.csv');
  it.skipIf(cardio === undefined)('reaches the AUC of scikit-learn on a set of ADBench (data beside the project)', () => {
    const table = cardio!
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').map(Number));
    const rows = table.map((row) => row.slice(0, -1));
    expect(auc(new IsolationForest().fit(rows).score(rows), (row) => table[row]!.at(-1) === 1)).toBeGreaterThan(0.9);
  });
});
