import { useQuery } from '@tanstack/react-query';
import { CopyButton } from '../../../components/CopyButton';
import { Facts } from '../../../components/Facts';
import { Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Pill } from '../../../components/Pill';
import { formatCount, NONE } from '../../../lib/format';
import { fleetQuery } from '../../../scope/queries';
import type { FleetStatus } from '../../../scope/types';
import styles from './AgentsPage.module.css';

/** The run that agents take part in, and the relays between them and the scope. */
export function RunPanel() {
  const { data: fleet, error } = useQuery(fleetQuery);
  return (
    <Panel title="Run and relays">
      {!fleet && error ? (
        <Failure error={error} />
      ) : (
        <>
          <Facts
            items={[
              ['Run', fleet?.run_id],
              [
                'Public key',
                fleet &&
                  (fleet.public_key === '' ? (
                    NONE
                  ) : (
                    <span className={styles.key}>
                      <code>{`${fleet.public_key.slice(0, 12)}…${fleet.public_key.slice(-6)}`}</code>
                      <CopyButton text={fleet.public_key} label="Copy the public key" />
                    </span>
                  )),
              ],
              ['Contents', fleet && (fleet.encrypted ? 'encrypted' : 'readable by the relay')],
              ['Shares published', fleet && formatCount(fleet.published.shares)],
              ['Shares not published', fleet && counts(fleet.published.dropped)],
              ['Telemetry taken', fleet && formatCount(fleet.telemetry.taken)],
              ['Telemetry refused', fleet && counts(fleet.telemetry.refused)],
            ]}
          />
          <ul className={styles.relays} aria-label="Relays">
            {fleet?.relays?.map((relay) => (
              <li key={relay.url}>
                <span className={styles.relay}>
                  <code>{relay.url}</code>
                  <Pill tone={relay.state === 'connected' ? 'good' : 'warn'}>{relay.state}</Pill>
                </span>
                <small>{relayText(relay)}</small>
                {relay.last_error !== null && relay.state !== 'connected' && (
                  <small className={styles.problem}>{relay.last_error}</small>
                )}
              </li>
            ))}
            {fleet?.relays?.length === 0 && <li>No relay is configured.</li>}
          </ul>
        </>
      )}
    </Panel>
  );
}

/** Counts by their reasons: `2 queue full, 1 oversized`. */
function counts(reasons: Record<string, number>): string {
  const parts = Object.entries(reasons)
    .filter(([, count]) => count > 0)
    .map(([why, count]) => `${formatCount(count)} ${why.replaceAll('_', ' ')}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function relayText(relay: NonNullable<FleetStatus['relays']>[number]): string {
  const parts = [
    `${formatCount(relay.accepted)} sent`,
    `${formatCount(relay.received)} received`,
    `${formatCount(relay.waiting)} waiting`,
  ];
  if (relay.dropped > 0) parts.push(`${formatCount(relay.dropped)} dropped`);
  for (const [name, reasons] of [
    ['rejected', relay.rejected],
    ['refused', relay.refused],
  ] as const) {
    const text = counts(reasons);
    if (text !== 'none') parts.push(`${name}: ${text}`);
  }
  return parts.join(' · ');
}
