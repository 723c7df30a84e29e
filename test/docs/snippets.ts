import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

export const ROOT: string = resolve(import.meta.dirname, '../..');
/** What a page may take as given, by name and type. */
const ASSUMED = join(ROOT, 'test/docs/assumed.ts');
/** The one SDK that comes without types. */
const UNTYPED = "declare module '@binance/connector' { export const Spot: new (...args: unknown[]) => any; }";
const UNTYPED_FILE = join(ROOT, 'test/docs/untyped.d.ts');
// Made from the sources.
const GENERATED = /^docs\/(?:api|reference\/api)\//;

/** The pages that people write, as paths from the root. */
export function pages(): readonly string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => `docs/${file}`);
  return ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...docs.filter((file) => file.endsWith('.md') && !GENERATED.test(file)).sort()];
}

export interface Snippet {
  /** The line of the page that its fence stands on, from 1. */
  readonly line: number;
  /** What the fence says after its language: `alone` for one that stands on no other, as one of several ways to do the same. */
  readonly word: string;
  readonly lines: readonly string[];
}

/** The TypeScript and JavaScript of a page. */
export function snippetsOf(markdown: string): readonly Snippet[] {
  const snippets: Snippet[] = [];
  const lines = markdown.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(\w*) *(.*)$/.exec(lines[at]!);
    if (fence === null) continue;
    const end = lines.indexOf('```', at + 1);
    if (end === -1) throw new Error(`line ${at + 1}: the fence is never closed`);
    if (/^(?:ts|typescript|js|javascript)$/.test(fence[1]!)) snippets.push({ line: at + 1, word: fence[2]!, lines: lines.slice(at + 1, end) });
    at = end;
  }
  return snippets;
}

const parsed = (text: string): ts.SourceFile => ts.createSourceFile('snippet.ts', text, ts.ScriptTarget.ES2022, true);

/**
 * The snippets of a page as modules, on the same lines as they have on the page: one stands on those before it, in a block of its own
 * inside of theirs, so that it may say a name anew. Imports are put on the first line, since a block can't have any, and beside them
 * what the page takes as given.
 */
export function modulesOf(markdown: string, assumed: ReadonlySet<string>): readonly string[] {
  const together: Snippet[] = [];
  const alone: Snippet[][] = [];
  for (const snippet of snippetsOf(markdown)) {
    if (snippet.word !== '' && snippet.word !== 'alone') throw new Error(`line ${snippet.line}: a fence may say "alone", not "${snippet.word}"`);
    if (snippet.word === 'alone') alone.push([snippet]);
    else together.push(snippet);
  }
  return [together, ...alone]
    .filter((snippets) => snippets.length > 0)
    .map((snippets) => {
      const lines: string[] = [];
      const imports = new Set<string>();
      const own = new Set<string>();
      const used = new Set<string>();
      for (const { line, lines: text } of snippets) {
        const code = text.join('\n');
        let body = code;
        for (const statement of parsed(code).statements) {
          if (!ts.isImportDeclaration(statement)) continue;
          const blank = code.slice(statement.getStart(), statement.end).replace(/[^\n]/g, ' ');
          body = body.slice(0, statement.getStart()) + blank + body.slice(statement.end);
          // One by one, since two snippets may both import a name.
          const module = statement.moduleSpecifier.getText();
          const { name, namedBindings } = statement.importClause!;
          for (const [node, local] of [
            [name, name],
            ...(namedBindings !== undefined && ts.isNamedImports(namedBindings) ? namedBindings.elements.map((one) => [one, one.name] as const) : []),
          ] as const) {
            if (node === undefined || local === undefined) continue;
            own.add(local.text);
            imports.add(`import ${node === name ? node.getText() : `{ ${node.getText()} }`} from ${module}`);
          }
        }
        const look = (node: ts.Node): void => {
          if (ts.isIdentifier(node)) used.add(node.text);
          ts.forEachChild(node, look);
        };
        look(parsed(code));
        lines[line - 1] = '{';
        for (const [index, one] of body.split('\n').entries()) lines[line + index] = one;
      }
      const given = [...used].filter((name) => assumed.has(name) && !own.has(name));
      const first = [...imports, `import { ${given.join(', ')} } from '#assumed'`, 'export {}'].join(';').replaceAll('\n', ' ');
      return [`${first}; ${lines[0] ?? ''}`, ...Array.from(lines, (line) => line ?? '').slice(1), '}'.repeat(snippets.length)].join('\n');
    });
}

/** The names that test/docs/assumed.ts declares. */
export function assumedNames(): ReadonlySet<string> {
  const names = new Set<string>();
  for (const statement of parsed(readFileSync(ASSUMED, 'utf8')).statements) {
    if (ts.isVariableStatement(statement)) for (const { name } of statement.declarationList.declarations) names.add(name.getText());
    else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) names.add(statement.name!.text);
  }
  return names;
}

/**
 * What the compiler has against the snippets of these pages, `page:line: message`, by page; one program looks at all of them, against
 * the types that the package publishes.
 */
export function faultsOf(markdown: ReadonlyMap<string, string>): ReadonlyMap<string, readonly string[]> {
  const assumed = assumedNames();
  const modules = new Map<string, { readonly page: string; readonly text: string }>();
  for (const [page, text] of markdown)
    for (const [index, module] of modulesOf(text, assumed).entries()) modules.set(join(ROOT, `${page}.${index}.ts`), { page, text: module });

  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  // A snippet shows how a value is had; what is done with it is the reader's.
  Object.assign(options, { noUnusedLocals: false, noUnusedParameters: false, paths: { '#assumed': [ASSUMED] } });
  const texts = new Map([[UNTYPED_FILE, UNTYPED], ...[...modules].map(([file, { text }]) => [file, text] as const)]);
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile, readFile } = host;
  host.fileExists = (file) => texts.has(file) || fileExists.call(host, file);
  host.readFile = (file) => texts.get(file) ?? readFile.call(host, file);
  host.getSourceFile = (file, target, ...more) => {
    const text = texts.get(file);
    return text === undefined ? getSourceFile.call(host, file, target, ...more) : ts.createSourceFile(file, text, target);
  };
  const program = ts.createProgram([...texts.keys(), ASSUMED], options, host);

  const faults = new Map([...markdown.keys()].map((page) => [page, [] as string[]]));
  const told = (page: string, diagnostics: readonly ts.Diagnostic[]): void => {
    for (const { file, start, messageText } of diagnostics) {
      const line = file === undefined || start === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1;
      faults.get(page)!.push(`${page}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
    }
  };
  for (const [file, { page }] of modules) {
    const source = program.getSourceFile(file)!;
    told(page, [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]);
  }
  const broken = program.getSemanticDiagnostics(program.getSourceFile(ASSUMED));
  if (broken.length > 0)
    throw new Error(ts.formatDiagnostics(broken, { getCanonicalFileName: (name) => name, getCurrentDirectory: () => ROOT, getNewLine: () => '\n' }));
  return faults;
}
