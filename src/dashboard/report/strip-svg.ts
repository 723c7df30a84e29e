import { duration, utc } from '../charts/format.js';
import { type Palette, palettes } from '../charts/look.js';
import { svgText, wrapText } from '../drawing/svg-text.js';
import type { ReportData } from './report-data.js';

const palette = palettes.light;
const TITLE = 34;

/** Colour of a health or a severity. */
export function colourOf(word: string, { good, info, warning, critical, muted }: Palette): string {
  return { excellent: good, good, info, degraded: warning, warning, critical }[word] ?? muted;
}

/** The executive strip: title, grade, health, budgets, alerts, uptime, insights. */
export function stripSvg(
  data: ReportData,
  { x, y, width }: { readonly x: number; readonly y: number; readonly width: number },
): { readonly svg: string; readonly height: number } {
  const { snapshot, objectives } = data;
  const { assessment, alerts, uptimeSeconds } = snapshot.strip;
  const grade = assessment?.grade;
  const health = assessment?.health ?? 'unknown';
  const isGraded = grade !== undefined && grade.letter !== 'none';
  const parts: string[] = [
    svgText(data.title, x, y + 20, { size: 20, fill: palette.text, weight: 500 }),
    svgText(`${utc(data.from)} to ${utc(data.to)}`, x + width, y + 20, { size: 13, fill: palette.muted, anchor: 'end' }),
  ];
  const top = y + TITLE;
  const label = (text: string, at: number, line = top + 24): string => svgText(text, at, line, { size: 12, fill: palette.muted });

  // Grade and health.
  parts.push(
    label('grade', x + 16),
    svgText(isGraded ? grade.letter : '–', x + 16, top + 68, { size: 40, fill: palette.text, weight: 500 }),
    svgText(isGraded ? `${grade.score.toFixed(1)} of 100` : 'nothing measured', x + 16, top + 92, { size: 12, fill: palette.muted }),
    isGraded && grade.overspent.length > 0 ? svgText('budget overspent', x + 16, top + 108, { size: 11, fill: palette.critical }) : '',
    label('health', x + 126),
    `<circle cx="${x + 132}" cy="${top + 54}" r="6" fill="${colourOf(health, palette)}"/>`,
    svgText(health, x + 144, top + 60, { size: 18, fill: palette.text, weight: 500 }),
    label('uptime', x + 126, top + 88),
    svgText(uptimeSeconds === undefined ? 'not on record' : duration(uptimeSeconds), x + 126, top + 106, { size: 13, fill: palette.text }),
  );

  // Objectives with their budgets.
  const budgetX = x + 268;
  const barWidth = 120;
  parts.push(label('objectives and budget', budgetX));
  if (objectives.length === 0) parts.push(svgText('nothing measured', budgetX, top + 48, { size: 13, fill: palette.muted }));
  for (const [i, { name, objective, measured, isMet, budgetLeft, budget }] of objectives.entries()) {
    const line = top + 46 + i * 36;
    const colour = isMet ? palette.good : palette.critical;
    parts.push(
      svgText(`${name}: ${measured}`, budgetX, line, { size: 13, fill: palette.text, weight: 500 }),
      svgText(objective, budgetX, line + 15, { size: 11, fill: palette.muted }),
      `<rect x="${budgetX + 190}" y="${line - 9}" width="${barWidth}" height="7" rx="3" fill="${palette.grid}"/>`,
      `<rect x="${budgetX + 190}" y="${line - 9}" width="${Math.max(0, Math.min(1, budgetLeft)) * barWidth}" height="7" rx="3" fill="${colour}"/>`,
      svgText(budget, budgetX + 190, line + 15, { size: 11, fill: isMet ? palette.muted : palette.critical }),
    );
  }

  // Alerts.
  const alertX = x + 628;
  parts.push(
    label('open alerts', alertX),
    svgText(String(alerts.length), alertX, top + 60, { size: 28, fill: alerts.length > 0 ? palette.critical : palette.text, weight: 500 }),
  );
  for (const [i, { rule, severity, labels }] of alerts.slice(0, 3).entries()) {
    const [text = ''] = wrapText(`${rule}${labels === '' ? '' : ` ${labels}`}`, 170, 11, 1);
    parts.push(
      `<circle cx="${alertX + 4}" cy="${top + 82 + i * 17}" r="4" fill="${colourOf(severity, palette)}"/>`,
      svgText(text, alertX + 14, top + 86 + i * 17, { size: 11, fill: palette.text }),
    );
  }
  if (alerts.length > 3) parts.push(svgText(`and ${alerts.length - 3} more`, alertX + 14, top + 137, { size: 11, fill: palette.muted }));

  // Insights.
  const insightX = x + 826;
  const insightWidth = width - 826 - 16;
  parts.push(label('insights', insightX));
  let line = top + 44;
  const insights = assessment?.insights ?? [];
  if (insights.length === 0) {
    const said =
      assessment === undefined
        ? (snapshot.strip.assessmentError ?? 'not analysed')
        : grade?.letter === 'none'
          ? 'nothing was measured'
          : 'nothing changed for the worse';
    for (const text of wrapText(said, insightWidth, 12, 3)) {
      parts.push(svgText(text, insightX, line, { size: 12, fill: palette.muted }));
      line += 15;
    }
  }
  for (const { change, cause, action } of insights) {
    const heading = { size: 12, fill: palette.text, weight: 500 } as const;
    const detail = { size: 11, fill: palette.muted } as const;
    for (const [said, style] of [
      [change, heading],
      [`Cause: ${cause}`, detail],
      [`Do: ${action}`, detail],
    ] as const) {
      for (const text of wrapText(said, insightWidth, style.size, 2)) {
        parts.push(svgText(text, insightX, line, style));
        line += 15;
      }
    }
    line += 6;
  }
  const height = Math.max(top + 150, line) - y;
  const surface = `<rect x="${x}" y="${top}" width="${width}" height="${y + height - top}" rx="8" fill="${palette.surface}" stroke="${palette.line}"/>`;
  return { svg: [surface, ...parts].join('\n'), height };
}
