import { palettes } from '../charts/look.js';
import { STILL_FONT } from './still-font.js';

const { light } = palettes;

/** Of reports that are one HTML file. */
export const HTML_STYLE: string = `
:root { color-scheme: light; font: 15px/1.45 ${STILL_FONT}; color: ${light.text}; background: ${light.background}; }
body { margin: 0; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 60px; }
section { background: ${light.surface}; border: 1px solid ${light.line}; border-radius: 8px; padding: 20px; margin-bottom: 20px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 22px 0 8px; } h3 { font-size: 16px; margin: 20px 0 4px; }
section > h2:first-child { margin-top: 0; }
.muted { color: ${light.muted}; } p { margin: 4px 0; }
.figures { display: flex; flex-wrap: wrap; gap: 16px 40px; margin: 18px 0; } dt { color: ${light.muted}; font-size: 13px; } dd { margin: 0; }
.grade { font-size: 56px; line-height: 1.1; font-weight: 600; } .big { font-size: 24px; font-weight: 600; }
.excellent, .good { color: ${light.good}; } .degraded, .warning { color: ${light.warning}; } .critical { color: ${light.critical}; } .info { color: ${light.info}; }
li { margin-bottom: 10px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; width: 100%; }
th, td { text-align: left; padding: 5px 10px 5px 0; border-bottom: 1px solid ${light.grid}; vertical-align: top; font-weight: 400; overflow-wrap: anywhere; min-width: 60px; }
thead th { font-weight: 600; }
figure { margin: 0 0 26px; break-inside: avoid; } figure svg { width: 100%; height: auto; display: block; }
@media print { section { border: 0; padding: 0; break-after: page; } main { max-width: none; padding: 0; } }
`;
