import { LockKeyhole } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useView } from '../../api/LiveProvider';
import { CopyButton } from '../../components/CopyButton';
import { Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Segmented } from '../../components/Segmented';
import { Skeleton } from '../../components/Skeleton';
import { formatDifficulty } from '../../lib/format';
import { load } from '../../lib/load';
import { addressHint, isLoopback, networkName, reachableURL } from '../../lib/stratum';
import styles from './ConnectPanel.module.css';

const QRCode = lazy(async () => ({
  default: (await load(() => import('../../components/QRCode'))).QRCode,
}));

/** Where miners connect to. */
interface Endpoint {
  url: string;
  tls: boolean;
  name: string | undefined;
}

/** What a miner must be told. */
export function ConnectPanel() {
  const { data: status, error } = useView('status');
  const endpoints = status?.stratum
    .map(({ url, tls, name }) => ({ url: reachableURL(url, location.hostname), tls, name }))
    // The address that every miner understands goes on top.
    .sort((a, b) => Number(a.tls) - Number(b.tls));
  if (!status && error) {
    return (
      <Panel title="Connect a miner" id="connect">
        <Failure error={error} />
      </Panel>
    );
  }
  return (
    <Panel title="Connect a miner" id="connect">
      <dl className={styles.fields}>
        <dt>Pool address</dt>
        {endpoints?.map(({ url, tls, name }) => (
          <dd key={url}>
            <code>{url}</code>
            {name !== undefined && <span className={styles.name}>{name}</span>}
            {tls && (
              <span className={styles.tls} title="encrypted">
                <LockKeyhole size={13} aria-hidden="true" />
                <span>TLS</span>
              </span>
            )}
            <CopyButton text={url} label={`Copy ${url}`} />
          </dd>
        )) ?? (
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
          <CopyButton text="x" label="Copy the password" />
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
      <Scan endpoints={endpoints} />
    </Panel>
  );
}

/** The pool's address for a camera: of one endpoint, the others by a switch. */
function Scan({ endpoints }: { endpoints: Endpoint[] | undefined }) {
  const [chosen, setChosen] = useState<string>();
  const shown = endpoints?.find((e) => e.url === chosen) ?? endpoints?.[0];
  if (endpoints && !shown) return null;
  return (
    <div className={styles.scan}>
      <div className={styles.plate}>
        {shown && (
          <Suspense fallback={null}>
            <QRCode text={shown.url} />
          </Suspense>
        )}
      </div>
      <div className={styles.words}>
        <p>Scan the pool address with the phone that sets up the miner.</p>
        {endpoints && shown && endpoints.length > 1 && (
          <Segmented
            legend="Address in the QR code"
            options={endpoints.map((e) => ({ value: e.url, label: optionName(e, endpoints) }))}
            value={shown.url}
            onChange={setChosen}
          />
        )}
        {shown && isLoopback(shown.url) && (
          <p className={styles.own}>
            This address works on the pool’s own machine only. Set <code>listen</code> to reach it
            from others.
          </p>
        )}
      </div>
    </div>
  );
}

/** As short as tells the endpoint from the others. */
function optionName(endpoint: Endpoint, all: Endpoint[]): string {
  if (endpoint.name !== undefined) return endpoint.name;
  const alike = all.filter((e) => e.tls === endpoint.tls);
  const port = endpoint.url.slice(endpoint.url.lastIndexOf(':') + 1);
  const kind = endpoint.tls ? 'TLS' : 'Plain';
  return alike.length > 1 ? `${kind} ${port}` : kind;
}
