import { type Check, figure } from '../check.js';

/** What was recorded can be graded. */
export const analytics: Check = {
  id: 'component.analytics',
  category: 'component',
  critical: false,
  async run(context) {
    const { trial, from, to } = await context.session();
    const { grade, summaries } = await trial.kit.analytics.analyze({ from, to }, { signal: context.ground.signal });
    const measures = Object.keys(summaries).length;
    return {
      passed: grade.letter !== 'none' && measures > 0,
      measured: `${measures} series summarised, grade ${grade.letter} (${figure(grade.score)} of 100)`,
      required: 'a grade',
      why: 'The analytics of a trial kit were asked for the grade of its own session.',
    };
  },
};
