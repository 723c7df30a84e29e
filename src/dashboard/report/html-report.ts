import { wordsOf } from '../charts/charts.js';
import { duration, utc } from '../charts/format.js';
import { chartSvg } from '../drawing/chart-svg.js';
import { escapeMarkup as text } from '../drawing/svg-text.js';
import { scoreInWords } from '../view/objective-states.js';
import { htmlPage, htmlTable } from './html-document.js';
import type { ReportData } from './report-data.js';
import { stillLook } from './sheet-svg.js';
import { measuredTable, reportTables } from './tables.js';

/** The report as one HTML file: no script, no request, readable where it is opened. */
export function htmlReport(data: ReportData): string {
  const { title, from, to, madeAt, snapshot } = data;
  return htmlPage(
    title,
    `<section class="first">
<h1>${text(title)}</h1>
<p class="muted">${utc(from)} to ${utc(to)} · made ${utc(madeAt)}</p>
${executive(data)}
</section>
<section>
<h2>Charts</h2>
${snapshot.charts.map((chart) => `<figure data-chart="${chart.id}"><h3>${text(chart.title)}</h3><p>${text(wordsOf(chart))}</p>${isDrawn(chart) ? chartSvg(chart, stillLook(1040, 260)).replace('<svg ', '<svg role="img" aria-hidden="true" ') : ''}</figure>`).join('\n')}
</section>
<section>
<h2>Tables</h2>
${reportTables(data)
  .map((table) => htmlTable(table))
  .join('\n')}
</section>
<section>
${htmlTable(measuredTable(data))}
</section>`,
    true,
  );
}

const isDrawn = ({ series, spans = [], actions = [] }: ReportData['snapshot']['charts'][number]): boolean =>
  series.length + spans.length + actions.length > 0;

function executive({ snapshot, objectives, analysis, analysisError }: ReportData): string {
  const { alerts, uptimeSeconds, assessment } = snapshot.strip;
  const grade = analysis?.grade;
  const isGraded = grade !== undefined && grade.letter !== 'none';
  const health = analysis?.health ?? 'unknown';
  const insights = assessment?.insights ?? [];
  return `<dl class="figures">
<div><dt>Grade</dt><dd class="grade">${isGraded ? text(grade.letter) : '–'}</dd><dd class="muted">${isGraded ? scoreInWords(grade) : 'nothing measured'}</dd></div>
<div><dt>Health</dt><dd class="big ${health}">${health}</dd></div>
<div><dt>Open alerts</dt><dd class="big${alerts.length > 0 ? ' critical' : ''}">${alerts.length}</dd>${alerts
    .slice(0, 5)
    .map(({ rule, labels, severity }) => `<dd class="${severity}">${text(rule)} ${text(labels)}</dd>`)
    .join('')}</div>
<div><dt>Uptime</dt><dd class="big">${uptimeSeconds === undefined ? 'not on record' : duration(uptimeSeconds)}</dd></div>
</dl>
<h2>Objectives and budget</h2>
${
  objectives.length === 0
    ? '<p>Nothing was measured that has an objective.</p>'
    : `<table><thead><tr><th scope="col">objective</th><th scope="col">measured</th><th scope="col">should be</th><th scope="col">budget</th></tr></thead><tbody>${objectives
        .map(
          ({ name, measured, objective, budget, isMet }) =>
            `<tr><th scope="row">${text(name)}</th><td class="${isMet ? 'good' : 'critical'}">${text(measured)}</td><td>${text(objective)}</td><td>${text(budget)}</td></tr>`,
        )
        .join('')}</tbody></table>`
}
<h2>What changed, why, and what to do</h2>
${
  insights.length > 0
    ? `<ol>${insights.map(({ change, since, cause, action }) => `<li><strong>${text(change)}</strong> <span class="muted">since ${utc(since)}</span><br>Cause: ${text(cause)}<br>Do: ${text(action)}</li>`).join('')}</ol>`
    : `<p>${analysis === undefined ? `The range could not be analysed: ${text(analysisError ?? '')}` : isGraded ? 'Nothing changed for the worse.' : 'Nothing was measured in this range.'}</p>`
}`;
}
