import { allCharts } from '../charts/charts.js';
import { escapeMarkup as text } from '../drawing/svg-text.js';
import { DEFAULT_RANGE_MS } from '../view/view.js';
import type { Stills } from './opening-stills.js';

/** Ranges that the page offers. */
export const OFFERED_RANGES: readonly (readonly [ms: number, name: string])[] = [
  [5 * 60_000, 'last 5 minutes'],
  [15 * 60_000, 'last 15 minutes'],
  [60 * 60_000, 'last hour'],
  [6 * 3_600_000, 'last 6 hours'],
  [24 * 3_600_000, 'last 24 hours'],
  [7 * 86_400_000, 'last 7 days'],
];

const ICON = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0072b2"/><path d="M2 11l4-5 3 3 5-6" stroke="#fff" stroke-width="2" fill="none"/></svg>')}`;

/**
 * The page before its script has filled it: it names all that will stand there, has what it shows first
 * fetched at once, and may show stills of it. Every link is relative to where it is mounted. Where there are
 * no stills, the code that draws is on its way at once; else it would take from them what they are shown with.
 */
export function pageHtml(title: string, opening?: URLSearchParams, stills: Stills = new Map()): string {
  const first = opening === undefined ? '' : `<link id="first" rel="preload" as="fetch" crossorigin href="snapshot?${text(opening.toString())}">\n`;
  const code = stills.size > 0 ? '' : '<link rel="modulepreload" href="canvas.js" fetchpriority="low">\n';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${text(title)}</title>
<link rel="icon" href="${text(ICON)}">
<link rel="stylesheet" href="page.css">
<script type="module" src="page.js"></script>
${code}${first}</head>
<body>
<a class="skip" href="#charts">Skip to the charts</a>
<header>
<h1>${text(title)}</h1>
<p id="status" role="status">connecting</p>
<form id="controls" aria-label="What is shown">
<label>Range <select id="range" name="range">${OFFERED_RANGES.map(([ms, name]) => `<option value="${ms}"${ms === DEFAULT_RANGE_MS ? ' selected' : ''}>${name}</option>`).join('')}<option value="fixed">from … to …</option></select></label>
<span id="fixed" hidden>
<label>From <input id="from" type="datetime-local" step="1"></label>
<label>to <input id="to" type="datetime-local" step="1"> UTC</label>
</span>
<button id="pause" type="button" aria-pressed="false">Pause</button>
<button id="scheme" type="button" aria-pressed="false">Dark</button>
<details id="reports"><summary>Report</summary><ul>${(['pdf', 'html', 'png', 'svg', 'json'] as const).map((format) => `<li><a data-format="${format}" href="report?format=${format}">${format.toUpperCase()}</a></li>`).join('')}</ul></details>
</form>
</header>
<main>
<section id="strip" aria-label="At a glance">
<div class="tile"><h2>Grade</h2><p id="grade" class="letter">–</p><p id="score" class="muted">being worked out</p></div>
<div class="tile"><h2>Health</h2><p id="health" class="big">–</p><h2>Uptime</h2><p id="uptime">–</p></div>
<div class="tile wide"><h2>Objectives and budget</h2><ul id="objectives"><li class="muted">being read</li></ul></div>
<div class="tile wide"><h2>Open alerts <span id="alert-count">–</span></h2><ul id="open-alerts"></ul><p id="silence-answer" role="status"></p></div>
<div class="tile widest"><h2>What changed, why, and what to do</h2><ol id="insights"><li class="muted">being worked out</li></ol></div>
</section>
<section id="charts" aria-label="Charts" tabindex="-1">
${allCharts
  .map(
    ({ id, title: name, how }) => `<figure data-chart="${id}"${stills.has(id) ? ' data-state="still"' : ''}>
<figcaption><h2 id="title-${id}">${text(name)}</h2>${
      id === 'metric'
        ? '<label class="picker">Metric <select id="metric"></select></label><label class="picker">or by name <input id="metric-name" list="metric-names" autocomplete="off" spellcheck="false"><datalist id="metric-names"></datalist></label><p id="metric-error" role="alert"></p>'
        : ''
    }<p id="words-${id}" class="words">being read</p></figcaption>
<div class="plot" role="img" aria-labelledby="title-${id}" aria-describedby="words-${id}">${stills.get(id) ?? ''}</div>
<details class="values"><summary>Figures<span class="hidden"> of ${text(name)}</span></summary><div class="scroll" tabindex="0" role="region" aria-label="Figures of ${text(name)}"><table></table></div><p class="muted">${text(how)}</p></details>
</figure>`,
  )
  .join('\n')}
</section>
</main>
<footer><p class="muted">All times are UTC.</p><noscript><p>The charts need JavaScript; the reports above do not.</p></noscript></footer>
</body>
</html>
`;
}
