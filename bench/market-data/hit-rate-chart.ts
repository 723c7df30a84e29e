/** A line of the chart: fresh hits ÷ reads in each minute. */
export interface HitRateSeries {
  readonly label: string;
  readonly color: string;
  readonly byMinute: readonly number[];
}

const WIDTH = 920;
const HEIGHT = 380;
const LEFT = 56;
const RIGHT = 290;
const TOP = 44;
const BOTTOM = 44;

/** The hit rate over the simulated hour as an SVG that needs nothing beside it. */
export function hitRateChart(title: string, series: readonly HitRateSeries[]): string {
  const minutes = Math.max(...series.map(({ byMinute }) => byMinute.length));
  const x = (minute: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * minute) / Math.max(1, minutes - 1);
  const y = (ratio: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - ratio);
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (ratio) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(ratio)}" y2="${y(ratio)}" stroke="#d0d4da"/>` +
      `<text x="${LEFT - 8}" y="${y(ratio) + 4}" text-anchor="end">${100 * ratio} %</text>`,
  );
  const ticks = Array.from({ length: Math.floor((minutes - 1) / 10) + 1 }, (_, i) => 10 * i).map(
    (minute) => `<text x="${x(minute)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${minute} min</text>`,
  );
  const lines = series.map(({ color, byMinute }) => {
    const points = byMinute.map((ratio, minute) => `${x(minute).toFixed(1)},${y(ratio).toFixed(1)}`).join(' ');
    return `<polyline points="${points}" fill="none" stroke="${color}" stroke-width="2"/>`;
  });
  const legend = series.map(({ label, color }, i) => {
    const top = TOP + 22 * i;
    return `<rect x="${WIDTH - RIGHT + 16}" y="${top}" width="14" height="4" fill="${color}"/><text x="${WIDTH - RIGHT + 36}" y="${top + 7}">${label}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="#24292f">`,
    `<title>${title}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="24" font-size="15" font-weight="600">${title}</text>`,
    ...grid,
    ...ticks,
    ...lines,
    ...legend,
    '</svg>',
    '',
  ].join('\n');
}
