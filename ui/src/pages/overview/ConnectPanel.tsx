import { LockKeyhole } from 'lucide-react';
import { useView } from '../../api/LiveProvider';
import { CopyButton } from '../../components/CopyButton';
import { Panel } from '../../components/Panel';
import { Skeleton } from '../../components/Skeleton';
import { formatDifficulty } from '../../lib/format';
import { addressHint, networkName, reachableURL } from '../../lib/stratum';
import styles from './ConnectPanel.module.css';

/** What a miner must be told. */
export function ConnectPanel() {
  const { data: status } = useView('status');
  return (
    <Panel title="Connect a miner" id="connect">
      <dl className={styles.fields}>
        <dt>Pool address</dt>
        {status?.stratum.toSorted(plainFirst).map(({ url, tls }) => {
          const reachable = reachableURL(url, location.hostname);
          return (
            <dd key={url}>
              <code>{reachable}</code>
              {tls && (
                <span className={styles.tls} title="encrypted">
                  <LockKeyhole size={13} aria-hidden="true" />
                  <span>TLS</span>
                </span>
              )}
              <CopyButton text={reachable} label={`Copy ${reachable}`} />
            </dd>
          );
        }) ?? (
          <dd>
            <Skeleton width="24ch" />
          </dd>
        )}
        <dt>User name</dt>
        <dd>
          <code>ADDRESS.worker</code>
          <CopyButton text="ADDRESS.worker" label="Copy the example user name" />
        </dd>
        <dt>Password</dt>
        <dd>
          <code>x</code>
          <span className={styles.aside}>anything will do</span>
        </dd>
      </dl>
      <p className={styles.text}>
        {status ? (
          <>
            ADDRESS is your own Bitcoin address on{' '}
            {networkName(status.network) || 'the network of the node'} (
            {addressHint(status.network)}), worker any name for the machine. A block that it finds
            pays that address directly in its coinbase
            {status.fee_percent > 0
              ? `, less a fee of ${formatDifficulty(status.fee_percent)} %.`
              : '; the pool takes no fee.'}
          </>
        ) : (
          <Skeleton width="100%" />
        )}
      </p>
    </Panel>
  );
}

/** The address that every miner understands goes on top. */
function plainFirst(a: { tls: boolean }, b: { tls: boolean }): number {
  return Number(a.tls) - Number(b.tls);
}
