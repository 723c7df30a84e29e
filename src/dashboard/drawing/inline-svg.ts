import { variableOf } from '../charts/scheme-colours.js';

const TOKEN = /<style\s*>[\s\S]*?<\/style>|<(\/?)([a-zA-Z]+)((?:\s+[\w:-]+="[^"<>]*")*)\s*(\/?)>|([^<]+)/y;
const ATTRIBUTE = /([\w:-]+)="([^"]*)"/g;

const ELEMENTS: ReadonlySet<string> = new Set([
  'svg',
  'g',
  'defs',
  'clipPath',
  'path',
  'rect',
  'circle',
  'polyline',
  'polygon',
  'line',
  'text',
  'tspan',
]);
const PLACES: readonly string[] = ['x', 'y', 'd', 'r', 'cx', 'cy', 'x1', 'x2', 'y1', 'y2', 'points', 'width', 'height', 'viewBox', 'transform'];
const PAINTS: readonly string[] = ['fill', 'stroke'];
const STYLES: readonly string[] = [
  ...['fill-opacity', 'stroke-opacity', 'opacity', 'stroke-width', 'stroke-dasharray', 'stroke-linecap', 'stroke-linejoin'],
  ...['text-anchor', 'dominant-baseline'],
];
const KEPT: ReadonlySet<string> = new Set([...PLACES, ...STYLES]);

/**
 * A picture that ECharts drew in marks, as a part of a page: its colours are variables of the page's style,
 * its names are its own (`id` tells them from those of another picture), and nothing is left that a strict
 * content policy refuses, or that is more than lines, areas and text. Undefined for what can't be told so.
 */
export function inlineSvg(svg: string, id: string): string | undefined {
  const parts: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < svg.length) {
    const token = TOKEN.exec(svg);
    if (token === null) return undefined;
    const [, slash, name, attributes = '', end, text] = token;
    if (text !== undefined) parts.push(text.trim() === '' ? '' : text);
    else if (name === undefined) continue;
    else if (!ELEMENTS.has(name)) return undefined;
    else parts.push(slash === '/' ? `</${name}>` : `<${name}${kept(attributes, id)}${end}>`);
  }
  return parts.join('');
}

function kept(attributes: string, id: string): string {
  let text = '';
  for (const [, name = '', value = ''] of attributes.matchAll(ATTRIBUTE)) {
    if (KEPT.has(name)) text += ` ${name}="${value}"`;
    else if (PAINTS.includes(name)) text += ` ${name}="${variableOf(value) ?? value}"`;
    else if (name === 'id') text += ` id="${ownName(value, id)}"`;
    else if (name === 'clip-path') text += ` clip-path="${value.replace(/#([\w-]+)/, (_, whole: string) => `#${ownName(whole, id)}`)}"`;
    // The family is that of the page around it.
    else if (name === 'style') text += ` font-size="${/([\d.]+)px/.exec(value)?.[1] ?? '11'}"`;
  }
  return text;
}

// ECharts counts the pictures of a process: another one may begin to count anew.
const ownName = (name: string, id: string): string => `${id}-${name.replace(/^zr\d+-/, '')}`;
