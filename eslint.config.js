import tseslint from 'typescript-eslint';

const time = 'Time comes from the injected Clock (core/clock.ts), so that tests, simulations and replays can own it.';
const chance = 'Randomness comes from the injected Random (core/random.ts), so that a seed replays a run.';

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**'] },
  ...tseslint.configs.strictTypeChecked,
  {
    files: ['src/**/*.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.src.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': 'off', // `() => void work()` and `return done()` read well
      '@typescript-eslint/no-non-null-assertion': 'off', // typed arrays and heaps, where the index is known to be right
      '@typescript-eslint/no-empty-function': 'off', // silence is what a silent logger does
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_+$', argsIgnorePattern: '^_' }],
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true, allowRethrowing: true }],
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/no-unnecessary-condition': 'off', // callers in plain JavaScript pass what the types forbid
      '@typescript-eslint/no-unnecessary-type-conversion': 'off', // the same
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      '@typescript-eslint/require-await': 'off', // a method of an asynchronous contract is async though it has nothing to wait for
      '@typescript-eslint/unbound-method': 'off', // contracts use method syntax for functions that do not use `this`
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/core/clock.ts', 'src/core/manual-clock.ts', 'src/core/macrotask.ts', 'src/core/random.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['setTimeout', 'setInterval', 'setImmediate', 'performance'].map((name) => ({ name, message: time })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: time },
        { object: 'performance', property: 'now', message: time },
        { object: 'process', property: 'hrtime', message: time },
        { object: 'AbortSignal', property: 'timeout', message: time },
        { object: 'Math', property: 'random', message: chance },
        { object: 'crypto', property: 'getRandomValues', message: chance },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: time },
        { selector: "MemberExpression[object.name='globalThis'][property.name=/^(setTimeout|setInterval|setImmediate|performance|Date)$/]", message: time },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'node:timers', message: time },
            { name: 'node:timers/promises', message: time },
            { name: 'timers', message: time },
            { name: 'timers/promises', message: time },
            { name: 'node:perf_hooks', importNames: ['performance'], message: time },
          ],
        },
      ],
    },
  },
);
