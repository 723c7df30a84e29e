import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'esbuild';
import { schemeColours } from '../src/dashboard/charts/scheme-colours.js';
import type { PageFile } from '../src/dashboard/server/assets.js';

const root = resolve(import.meta.dirname, '..');
const source = (file: string): string => join(root, 'src/dashboard', file);

const PAGE_FILES: readonly PageFile[] = ['dashboard-page.js', 'dashboard-canvas.js', 'dashboard-page.css'];

/**
 * Builds what the dashboard serves and starts, each in one file with what it needs: the page's script
 * and style, the code that draws in it, the worker that draws stills (with ECharts and pdfmake inside), and
 * the fonts of stills and PDFs. None of those packages is a dependency of the host; NOTICE names them.
 */
export async function buildDashboard(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const common = {
    bundle: true,
    minify: true,
    legalComments: 'none',
    lineLimit: 180,
    metafile: true,
    format: 'esm',
    logLevel: 'warning',
    absWorkingDir: root,
  } as const;
  const browser = { platform: 'browser', target: 'es2022' } as const;
  const built = await Promise.all([
    build({ ...common, ...browser, entryPoints: [source('page/main.ts')], outfile: join(folder, 'dashboard-page.js'), plugins: [drawingApart] }),
    build({ ...common, ...browser, entryPoints: [source('drawing/canvas.ts')], outfile: join(folder, 'dashboard-canvas.js') }),
    build({
      ...common,
      ...browser,
      entryPoints: [source('page/page.css')],
      outfile: join(folder, 'dashboard-page.css'),
      footer: { css: schemeColours() },
    }),
    build({
      ...common,
      entryPoints: [source('report/worker.ts')],
      outfile: join(folder, 'dashboard-worker.js'),
      platform: 'node',
      target: 'node20',
      external: ['@resvg/resvg-js'],
      // pdfmake is CommonJS and asks for Node's own modules.
      banner: {
        js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);\nconst __dirname = import.meta.dirname, __filename = import.meta.filename;",
      },
    }),
  ]);
  for (const file of PAGE_FILES) writeFileSync(join(folder, `${file}.gz`), gzipSync(readFileSync(join(folder, file)), { level: 9 }));
  writeFileSync(join(folder, 'dashboard-licenses.txt'), licensesOf(built.flatMap(({ metafile }) => Object.keys(metafile.inputs))));
  const fonts = join(createRequire(import.meta.url).resolve('pdfmake/package.json'), '../fonts/Roboto');
  copyFileSync(join(fonts, 'Roboto-Regular.ttf'), join(folder, 'dashboard-regular.ttf'));
  copyFileSync(join(fonts, 'Roboto-Medium.ttf'), join(folder, 'dashboard-medium.ttf'));
}

/** What draws comes in a file of its own, which the page does not wait for. */
const drawingApart: Plugin = {
  name: 'drawing-apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/drawing\/canvas\.js$/ }, () => ({ path: './canvas.js', external: true }));
  },
};

/** The licences of all packages that files were taken from, whole. */
function licensesOf(inputs: readonly string[]): string {
  const packages = new Set(
    inputs.map((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]).filter((folder) => folder !== undefined),
  );
  const texts = [...packages].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Record<string, string>;
    const files = readdirSync(join(root, folder)).filter((file) => /^(licen[cs]e|notice)/i.test(file) && !/\.js$/.test(file) && file !== 'licenses');
    return [`${'='.repeat(80)}\n${name} ${version}, ${license}\n`, ...files.map((file) => readFileSync(join(root, folder, file), 'utf8'))].join('\n');
  });
  return `Packages inside dashboard-canvas.js and dashboard-worker.js. The fonts are Roboto, under the Apache License 2.0, whose text follows below.\n\n${texts.join('\n')}`;
}

if (process.argv[1] === import.meta.filename) await buildDashboard(process.argv[2] ?? join(root, 'dist'));
