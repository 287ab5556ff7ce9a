import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Archive, BadgeCheck, Lock } from 'lucide-react';
import { ApiError, refusalText } from '../../../api/client';
import { Button } from '../../../components/Button';
import { CopyButton } from '../../../components/CopyButton';
import { DataTable, type Column } from '../../../components/DataTable';
import { Empty, Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Pill } from '../../../components/Pill';
import { PlainText } from '../../../components/PlainText';
import { StaleNote } from '../../../components/StaleNote';
import { Time } from '../../../components/Time';
import { formatBytes, formatDuration, plural } from '../../../lib/format';
import { AdminPage } from '../AdminPage';
import { backupsQuery, runBackup, type Backup, type BackupState } from './api';
import styles from './BackupsPage.module.css';
import { Targets } from './Targets';

/** What is kept for the day that the disk dies. */
export function BackupsPage() {
  const { data, error, dataUpdatedAt } = useQuery(backupsQuery);
  const missing = error instanceof ApiError && [404, 503].includes(error.status);
  return (
    <AdminPage title="Backups" aside={data && <RunNow state={data} />}>
      <StaleNote error={data ? error : null} updatedAt={dataUpdatedAt} />
      {!data && error ? (
        <Panel title="Backups">
          {missing ? (
            <Empty title="This program makes no backups">
              Section [backup] of the settings says where they go.
            </Empty>
          ) : (
            <Failure error={error} />
          )}
        </Panel>
      ) : (
        <div className={styles.stack}>
          <Targets state={data} />
          <Archives state={data} />
          <Restore name={data?.backups[0]?.name} encrypted={data?.encrypted ?? false} />
        </div>
      )}
    </AdminPage>
  );
}

function RunNow({ state }: { state: BackupState }) {
  const client = useQueryClient();
  const order = useMutation({
    mutationFn: runBackup,
    onSuccess: () => client.invalidateQueries({ queryKey: backupsQuery.queryKey }),
  });
  return (
    <>
      {order.error !== null && (
        <span className={styles.failed} role="alert">
          {refusalText(order.error)}
        </span>
      )}
      <span role="status">
        {state.running
          ? 'One is being made'
          : state.enabled
            ? `Every ${formatDuration(state.every_sec)}`
            : 'No schedule'}
      </span>
      <Button
        tone="primary"
        disabled={order.isPending || state.running || state.targets.length === 0}
        onClick={() => {
          order.mutate();
        }}
      >
        <Archive size={15} aria-hidden="true" />
        Back up now
      </Button>
    </>
  );
}

const columns: Column<Backup>[] = [
  {
    key: 'name',
    header: 'Name',
    card: 'title',
    value: (b) => b.name,
    cell: (b) => (
      <code className={styles.name}>
        <PlainText text={b.name} />
      </code>
    ),
  },
  {
    key: 'target',
    header: 'Target',
    card: 'detail',
    value: (b) => b.target,
    cell: (b) => <PlainText text={b.target} />,
  },
  {
    key: 'at',
    header: 'Made',
    card: 'lead',
    numeric: true,
    value: (b) => Date.parse(b.at),
    raw: (b) => new Date(b.at),
    cell: (b) => <Time at={b.at} />,
  },
  {
    key: 'bytes',
    header: 'Size',
    unit: 'bytes',
    card: 'detail',
    numeric: true,
    value: (b) => b.bytes,
    cell: (b) => formatBytes(b.bytes),
  },
  {
    key: 'generation',
    header: 'Kept as',
    card: 'detail',
    value: (b) => b.generation.join(' '),
    cell: (b) =>
      b.generation.length === 0 ? (
        <span className={styles.faint}>may go</span>
      ) : (
        <span className={styles.pills}>
          {b.generation.map((g) => (
            <Pill key={g}>{g}</Pill>
          ))}
        </span>
      ),
  },
  {
    key: 'state',
    header: 'State',
    card: 'detail',
    value: (b) => (b.verified ? 1 : 0),
    raw: (b) => (b.verified ? 'verified' : 'not verified'),
    cell: (b) => (
      <span className={styles.state}>
        {b.verified ? (
          <span className={styles.good}>
            <BadgeCheck size={14} aria-hidden="true" /> verified
          </span>
        ) : (
          <span className={styles.faint}>not verified</span>
        )}
        {b.encrypted && (
          <span className={styles.faint}>
            <Lock size={13} aria-hidden="true" /> encrypted
          </span>
        )}
      </span>
    ),
  },
];

function Archives({ state }: { state: BackupState | undefined }) {
  return (
    <Panel
      title="What there is"
      flush
      aside={
        state && state.backups.length > 0 ? (
          <span className={styles.aside}>{plural(state.backups.length, 'backup')}</span>
        ) : undefined
      }
    >
      {state?.list_error !== undefined && (
        <p className={styles.problem} role="alert">
          Not every target told what it has: <PlainText text={state.list_error} />
        </p>
      )}
      {state?.backups.length === 0 ? (
        <Empty title="None yet" />
      ) : (
        <DataTable
          caption="Backups"
          columns={columns}
          rows={state?.backups}
          rowKey={(b) => `${b.target}/${b.name}`}
          initialSort={{ key: 'at', descending: true }}
        />
      )}
    </Panel>
  );
}

/** How to get one back: that is done with the program stopped, so not from here. */
function Restore({ name, encrypted }: { name: string | undefined; encrypted: boolean }) {
  const lines = [
    `poolscope backup restore --check ${name ?? 'NAME'}`,
    `poolscope backup restore ${name ?? 'NAME'}`,
  ];
  return (
    <Panel title="To restore one">
      <p className={styles.words}>
        First see that it can be restored; then stop the program, restore, and start it again. What
        is there now is moved aside. Both want the <code>--config</code> or <code>--data-dir</code>{' '}
        that the program runs with{encrypted && ', and the key that opens the backups'}.
      </p>
      {lines.map((line) => (
        <div key={line} className={styles.command}>
          <code>{line}</code>
          <CopyButton text={line} label="Copy the command" />
        </div>
      ))}
    </Panel>
  );
}
