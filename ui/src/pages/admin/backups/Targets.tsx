import { DataTable, type Column } from '../../../components/DataTable';
import { Empty } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Pill } from '../../../components/Pill';
import { PlainText } from '../../../components/PlainText';
import { Time } from '../../../components/Time';
import { formatCount, parseTime } from '../../../lib/format';
import type { BackupState, BackupTarget } from './api';
import styles from './BackupsPage.module.css';

/** Whether the last try of a target failed. */
function fails(target: BackupTarget): boolean {
  return target.last_error !== undefined && target.last_error !== '';
}

const columns: Column<BackupTarget>[] = [
  {
    key: 'name',
    header: 'Target',
    card: 'title',
    value: (t) => t.name,
    cell: (t) => (
      <span className={styles.target}>
        <strong>
          <PlainText text={t.name} />
        </strong>{' '}
        {fails(t) ? (
          <Pill tone="bad">failing</Pill>
        ) : parseTime(t.last_success) === undefined ? (
          <Pill>nothing yet</Pill>
        ) : (
          <Pill tone="good">well</Pill>
        )}
      </span>
    ),
  },
  {
    key: 'location',
    header: 'Where',
    card: 'detail',
    value: (t) => t.location,
    cell: (t) => (
      <code className={styles.name}>
        <PlainText text={t.location} />
      </code>
    ),
  },
  {
    key: 'success',
    header: 'Last success',
    card: 'detail',
    numeric: true,
    value: (t) => parseTime(t.last_success) ?? 0,
    raw: (t) => t.last_success,
    cell: (t) => <Time at={t.last_success} ago />,
  },
  {
    key: 'counts',
    header: 'Made / failed',
    card: 'detail',
    numeric: true,
    raw: (t) => `${t.made} / ${t.failed}`,
    cell: (t) => (
      <span title="Since the program started">
        {formatCount(t.made)} / {formatCount(t.failed)}
      </span>
    ),
  },
  {
    key: 'error',
    header: 'Last error',
    card: 'detail',
    raw: (t) => t.last_error,
    cell: (t) =>
      fails(t) ? (
        <span className={styles.error}>
          <PlainText text={t.last_error ?? ''} />
        </span>
      ) : (
        'none'
      ),
  },
];

/** Where backups go, and how that went lately. */
export function Targets({ state }: { state: BackupState | undefined }) {
  return (
    <Panel
      title="Where they go"
      flush
      aside={
        state &&
        (state.encrypted ? (
          <Pill tone="good">encrypted</Pill>
        ) : (
          <Pill tone="warn">not encrypted</Pill>
        ))
      }
    >
      {state?.targets.length === 0 ? (
        <Empty title="Nowhere yet">Section [backup] of the settings says where they go.</Empty>
      ) : (
        <DataTable
          caption="Targets of backups"
          columns={columns}
          rows={state?.targets}
          rowKey={(t) => t.name}
          skeletonRows={2}
        />
      )}
    </Panel>
  );
}
