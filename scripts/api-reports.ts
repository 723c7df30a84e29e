import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { entryPoints, outputName } from './entry-points.js';

/**
 * One report of the public API per entry point, committed under docs/api: a change of what users can
 * see shows in the diff. Without --update the reports are checked and a difference fails.
 */
const root = resolve(import.meta.dirname, '..');
const reports = join(root, 'docs/api');
const update = process.argv.includes('--update');
const scratch = mkdtempSync(join(tmpdir(), 'venuekit-api-'));
mkdirSync(reports, { recursive: true });

const names = Object.keys(entryPoints).map(outputName);
const declarations = (name: string): string => join(root, 'dist', `${name}.d.ts`);
const configOf = (name: string): ExtractorConfig =>
  ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: declarations(name),
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2022',
            module: 'nodenext',
            moduleResolution: 'nodenext',
            lib: ['es2023', 'esnext.disposable', 'dom'],
            types: ['node'],
            skipLibCheck: true,
          },
        },
      },
      apiReport: { enabled: true, reportFileName: `${name}.api.md`, reportFolder: scratch, reportTempFolder: join(scratch, 'temp') },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        extractorMessageReporting: { default: { logLevel: 'none' as never } },
        compilerMessageReporting: { default: { logLevel: 'none' as never } },
        tsdocMessageReporting: { default: { logLevel: 'none' as never } },
      },
    },
  });

// One program for all of them: to read the same declarations again for each entry point took most of the time.
let compilerState: CompilerState | undefined;
let changed = 0;
for (const name of names) {
  const config = configOf(name);
  compilerState ??= CompilerState.create(config, { additionalEntryPoints: names.map(declarations) });
  Extractor.invoke(config, { compilerState, localBuild: true, showVerboseMessages: false, messageCallback: (message) => (message.handled = true) });
  const fresh = readFileSync(join(scratch, `${name}.api.md`), 'utf8').replaceAll('\r\n', '\n');
  const path = join(reports, `${name}.api.md`);
  const kept = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (kept === fresh) continue;
  changed++;
  if (update) writeFileSync(path, fresh);
  else console.error(`docs/api/${name}.api.md differs from the build: run \`npm run api\`, look at the difference, and commit it`);
}
console.log(update ? `${changed} reports written` : `${Object.keys(entryPoints).length} reports checked, ${changed} differ`);
process.exitCode = !update && changed > 0 ? 1 : 0;
