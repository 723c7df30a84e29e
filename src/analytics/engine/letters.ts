import type { Grade, GradePart, Health } from './report.js';

const LETTERS: readonly (readonly [number, string])[] = [
  [97, 'A+'],
  [93, 'A'],
  [90, 'A-'],
  [87, 'B+'],
  [83, 'B'],
  [80, 'B-'],
  [77, 'C+'],
  [73, 'C'],
  [70, 'C-'],
  [67, 'D+'],
  [63, 'D'],
  [60, 'D-'],
];

function letterOf(score: number): string {
  return LETTERS.find(([least]) => score >= least)?.[1] ?? 'F';
}

/** What a range is marked at best while more of a budget is spent than there is: no A says that all is well then. */
const MOST_OVERSPENT = 89;

/** The mark of what was measured; `overspent` names the objectives whose budget is spent more than once over. */
export function gradeFrom(score: number, parts: readonly GradePart[], missing: readonly string[], overspent: readonly string[]): Grade {
  if (parts.length === 0) return { letter: 'none', score: 0, parts, missing, overspent };
  const limited = overspent.length === 0 ? score : Math.min(score, MOST_OVERSPENT);
  return { letter: letterOf(limited), score: limited, parts, missing, overspent };
}

/** The same mark where somebody else, such as a chart, finds more budgets overspent. */
export function limitGrade(grade: Grade, overspent: readonly string[]): Grade {
  return gradeFrom(grade.score, grade.parts, grade.missing, [...new Set([...grade.overspent, ...overspent])]);
}

/** Health follows the grade, and never exceeds what its worst part allows. With nothing measured it is `degraded`: blind is not well. */
export function healthOf({ score, parts }: Grade): Health {
  const worst = Math.min(100, ...parts.map((part) => part.score));
  if (parts.length === 0) return 'degraded';
  if (score < 60 || worst < 25) return 'critical';
  if (score < 80 || worst < 60) return 'degraded';
  return score >= 93 && worst >= 85 ? 'excellent' : 'good';
}
