import type { PoolPage, ServerPage } from '../../api/pages';
import { DataTable, type Column } from '../../components/DataTable';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Time } from '../../components/Time';
import { sentence } from '../../lib/format';
import { errorKind, errorLines, type ErrorLine } from './errors';
import styles from './ServerPage.module.css';

const columns: Column<ErrorLine>[] = [
  {
    key: 'message',
    header: 'What happened',
    card: 'title',
    raw: (e) => e.message,
    cell: (e) => <span className={styles.message}>{sentence(e.message)}</span>,
  },
  {
    key: 'type',
    header: 'Where',
    card: 'detail',
    raw: (e) => e.type,
    cell: (e) => errorKind(e.type),
  },
  {
    key: 'at',
    header: 'When',
    card: 'detail',
    numeric: true,
    raw: (e) => e.at,
    cell: (e) => (e.at === undefined ? 'earlier' : <Time at={e.at} />),
  },
];

/** What went wrong in the last hour. */
export function ErrorsPanel(props: {
  pool: PoolPage | undefined;
  server: ServerPage | undefined;
  error: unknown;
}) {
  const lines = errorLines(props.pool, props.server);
  return (
    <Panel title="Errors and events of the last hour" flush>
      {lines?.length === 0 ? (
        <Empty title="Nothing went wrong">
          What fails is listed here for an hour, and is in the log as well.
        </Empty>
      ) : !lines && props.error !== null ? (
        <Failure error={props.error} />
      ) : (
        <DataTable
          caption="Errors and events, newest first"
          columns={columns}
          rows={lines}
          rowKey={(e) => `${e.at ?? ''} ${e.type} ${e.message}`}
        />
      )}
    </Panel>
  );
}
