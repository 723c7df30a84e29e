import { SVGRenderer } from 'echarts/renderers';
import type { ChartData } from '../charts/chart.js';
import { charts } from '../charts/charts.js';
import type { Look } from '../charts/look.js';
import { textWidth } from '../charts/option-parts.js';
import { init, setPlatformAPI, use } from './echarts.js';

use([SVGRenderer]);
setPlatformAPI({ measureText: (text, font = '11px') => ({ width: textWidth(text, Number.parseFloat(/([\d.]+)px/.exec(font)?.[1] ?? '11')) }) });

/** One chart as an `<svg>` element, without a DOM. */
export function chartSvg(data: ChartData, look: Look): string {
  const { width, height } = look;
  const drawing = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    drawing.setOption(charts[data.id].option(data, look));
    return drawing.renderToSVGString();
  } finally {
    drawing.dispose();
  }
}
