import { Option } from 'commander';
import type { Command } from '../command.js';

/** `venuekit grafana`: prints what Grafana, or Prometheus, is to import. */
export const grafanaCommand: Command = (program, terminal, end) => {
  program
    .command('grafana')
    .description('print a Grafana dashboard for the metrics that Prometheus scrapes, or the standard alert rules')
    .addOption(new Option('--alerts <for>', 'the standard alert rules instead').choices(['prometheus', 'grafana']))
    .action(async ({ alerts }: { readonly alerts?: 'prometheus' | 'grafana' }) => {
      if (alerts === 'prometheus') {
        const { labelOverflowRule, standardRules } = await import('../../alerts/index.js');
        const { toPrometheus } = await import('../../alerts/to-prometheus.js');
        const { yaml, unsupported } = toPrometheus([...standardRules(), labelOverflowRule()]);
        terminal.out(yaml);
        for (const one of unsupported) terminal.err(`not in the file: ${one}\n`);
      } else {
        const file = await (alerts === 'grafana'
          ? import('./alert-rules.json', { with: { type: 'json' } })
          : import('./dashboard.json', { with: { type: 'json' } }));
        terminal.out(`${JSON.stringify(file.default, null, 2)}\n`);
      }
      end(0);
    });
};
