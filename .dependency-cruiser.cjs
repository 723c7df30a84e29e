/**
 * Which room may import which: the table of CONTRIBUTING.md, enforced. Collaborators arrive through
 * constructors, as interfaces of contracts/, or over the bus; no room imports a sibling.
 */
const base = ['core', 'contracts'];
const everyModule = ['resilience', 'pool', 'trading', 'market-data', 'parallel', 'metrics', 'query', 'alerts', 'analytics'];
const rooms = {
  core: [],
  contracts: ['core'],
  resilience: ['core'],
  pool: [...base, 'resilience'],
  trading: [...base, 'resilience'],
  'market-data': base,
  threads: ['core'],
  parallel: [...base, 'resilience', 'threads'],
  metrics: base,
  query: base,
  alerts: [...base, 'query'],
  analytics: [...base, 'threads'],
  dashboard: [...base, 'query', 'analytics', 'threads'],
  analyzer: [...base, ...everyModule, 'dashboard', 'stores', 'sdk', 'testing', 'certification', 'otel'],
  certification: [...base, ...everyModule, 'threads', 'dashboard', 'stores', 'sdk', 'testing', 'analyzer', 'otel', 'kit'],
  stores: [...base, 'threads'],
  sdk: [...base, 'resilience', 'pool', 'trading', 'market-data', 'parallel', 'metrics', 'stores/memory'],
  testing: base,
  otel: [...base, 'metrics'],
};
const escape = (path) => path.replace(/[/.]/g, '\\$&');

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', comment: 'A cycle has no top to read from.', from: {}, to: { circular: true } },
    { name: 'no-orphan-imports', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'core-runs-anywhere',
      severity: 'error',
      comment: 'core and contracts run in every JavaScript runtime: no Node built-ins.',
      from: { path: '^src/(core|contracts)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-development-packages',
      severity: 'error',
      comment: 'What users install is dependencies and optional peers.',
      from: { path: '^src/', pathNot: '^src/dashboard/(drawing|page|report)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer', 'npm-optional', 'type-only'] },
    },
    {
      name: 'prebuilt-packages',
      severity: 'error',
      comment: "What scripts/build-dashboard.ts builds into the dashboard's page and worker; the server itself takes no part in it.",
      from: { path: '^src/dashboard/(drawing|page|report)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer', 'npm-optional', 'type-only'], pathNot: 'node_modules/(echarts|pdfmake)/' },
    },
    {
      name: 'server-loads-no-chart-library',
      severity: 'error',
      comment: 'A host of the dashboard loads neither ECharts nor pdfmake: they live in the page and in the worker.',
      from: { path: '^src/dashboard/(index|create-dashboard|charts/|server/|view/|report/(renderer|json-report|report-data|tables))' },
      to: { path: '^src/dashboard/(drawing/(echarts|chart-svg)|page/|report/(worker|html-report|pdf-report|png-report|sheet-svg))', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'peers-are-loaded-late',
      severity: 'error',
      comment: 'An optional peer is loaded by a dynamic import when it is needed, never at import of the package.',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-peer'], dependencyTypesNot: ['dynamic-import'] },
    },
    {
      name: 'stores-apart',
      severity: 'error',
      comment: 'Each engine is an entry point of its own and loads nothing of the others.',
      from: { path: '^src/stores/([^/]+)/' },
      to: { path: '^src/stores/', pathNot: '^src/stores/($1|shared)/' },
    },
    ...Object.entries(rooms).map(([room, may]) => ({
      name: `room-${room}`,
      severity: 'error',
      comment: `${room} may import ${may.length === 0 ? 'nothing' : may.join(', ')} and itself`,
      from: { path: `^src/${escape(room)}/` },
      to: {
        path: '^src/',
        pathNot: [
          ...[room, ...may].map((allowed) => `^src/${escape(allowed)}/`),
          // An entry point may also re-export the memory store of its contract.
          ...(['trading', 'market-data', 'metrics'].includes(room) ? ['^src/stores/memory/'] : []),
        ],
      },
    })),
    {
      name: 'stores-only-from-entry-points',
      severity: 'error',
      comment: 'Only the index of a room re-exports the memory store of its contract; the room itself takes a store by its interface.',
      from: { path: '^src/(trading|market-data|metrics)/', pathNot: '/index\\.ts$' },
      to: { path: '^src/stores/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
