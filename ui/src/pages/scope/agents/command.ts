import type { FleetStatus } from '../../../scope/types';

/** A word for a POSIX shell, in quotes where it needs them. */
function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** How to start an agent that this scope hears; what stands in capitals is the reader's. */
export function startCommand(
  fleet: Pick<FleetStatus, 'relays' | 'run_id' | 'public_key' | 'encrypted'>,
): string {
  return [
    'poolscope agent --pool stratum+tcp://POOL:3333 --own --user ADDRESS.NAME',
    ...(fleet.relays ?? []).map(({ url }) => `--relay ${word(url)}`),
    `--run ${word(fleet.run_id)} --author ${word(fleet.public_key)}`,
    ...(fleet.encrypted ? ['--group-key-file FILE'] : []),
    '--mode mine --region eu-central',
  ].join(' ');
}
