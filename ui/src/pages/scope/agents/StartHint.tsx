import { useQuery } from '@tanstack/react-query';
import { CopyButton } from '../../../components/CopyButton';
import { fleetQuery } from '../../../scope/queries';
import { startCommand } from './command';
import styles from './AgentsPage.module.css';

/** How to start an agent of this run; without relays, what to configure first. */
export function StartHint() {
  const { data: fleet } = useQuery(fleetQuery);
  if (!fleet) return null;
  if (!fleet.enabled) {
    return (
      <p>
        No relay is configured, so agents cannot reach this scope. Set one in <code>[fleet]</code>{' '}
        of the configuration; <code>poolscope relay</code> is one to run yourself.
      </p>
    );
  }
  const command = startCommand(fleet);
  return (
    <>
      <p>
        On the machine to test from, with a pool of your own. Agents appear here by themselves, with
        their first report.
      </p>
      <div className={styles.command}>
        <code>{command}</code>
        <CopyButton text={command} label="Copy the command" />
      </div>
    </>
  );
}
