import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { ArrowUpToLine } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from '../../../components/Button';
import { DataTable, type Column } from '../../../components/DataTable';
import { Empty, Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Pill } from '../../../components/Pill';
import { PlainText } from '../../../components/PlainText';
import { SearchField } from '../../../components/SearchField';
import { StaleNote } from '../../../components/StaleNote';
import { Time } from '../../../components/Time';
import { Toolbar } from '../../../components/Toolbar';
import { NONE, plural } from '../../../lib/format';
import { AdminPage } from '../AdminPage';
import { auditQuery, countNewer, newestQuery, type Action } from './api';
import styles from './AuditPage.module.css';
import { actionWords } from './words';

/** Pause after the last keystroke before the server searches, ms. */
const SETTLE = 300;

const columns: Column<Action>[] = [
  {
    key: 'at',
    header: 'Time',
    card: 'lead',
    raw: (a) => new Date(a.at),
    cell: (a) => <Time at={a.at} />,
  },
  {
    key: 'user',
    header: 'Who',
    card: 'detail',
    raw: (a) => a.user,
    cell: (a) => (a.user === '' ? 'nobody' : <PlainText text={a.user} />),
  },
  {
    key: 'name',
    header: 'What',
    card: 'title',
    raw: (a) => a.name,
    cell: (a) => (
      <span className={styles.what} title={a.name}>
        {actionWords(a.name)}
        {a.failed && <Pill tone="bad">failed</Pill>}
      </span>
    ),
  },
  {
    key: 'target',
    header: 'Whom or what',
    card: 'detail',
    raw: (a) => a.target,
    cell: (a) => (
      <span className={styles.long}>{a.target === '' ? NONE : <PlainText text={a.target} />}</span>
    ),
  },
  {
    key: 'detail',
    header: 'Detail',
    card: 'detail',
    raw: (a) => a.detail,
    cell: (a) => (
      <span className={styles.long}>{a.detail === '' ? NONE : <PlainText text={a.detail} />}</span>
    ),
  },
  {
    key: 'address',
    header: 'From',
    card: 'detail',
    raw: (a) => a.address,
    cell: (a) => (a.address === '' ? NONE : <code>{a.address}</code>),
  },
];

/** What people did, and tried to do. */
export function AuditPage() {
  const [text, setText] = useState('');
  const search = useSettled(text.trim());
  const trail = useInfiniteQuery(auditQuery(search));
  const rows = trail.data?.pages.flatMap((page) => page.actions);
  const newest = useQuery(newestQuery(search));
  const newer = trail.isPlaceholderData ? 0 : countNewer(newest.data?.actions, rows);
  const { refetch } = trail;
  const single = trail.data?.pages.length === 1;

  // Whoever is at the beginning sees what comes; whoever reads further down, or has
  // marked something, keeps their place and is told.
  useEffect(() => {
    if (newer > 0 && single && isAtTop()) void refetch();
  }, [newer, single, newest.dataUpdatedAt, refetch]);

  return (
    <AdminPage title="Audit trail">
      <StaleNote
        error={trail.data ? (newest.error ?? trail.error) : null}
        updatedAt={Math.max(trail.dataUpdatedAt, newest.dataUpdatedAt)}
      />
      <Toolbar>
        <SearchField
          label="Search the trail"
          placeholder="Who, what, whom, from where…"
          value={text}
          onChange={setText}
        />
        <span role="status" className={styles.newer}>
          {newer > 0 && !trail.isFetching && plural(newer, 'new action')}
        </span>
        {newer > 0 && !trail.isFetching && (
          <Button
            onClick={() => {
              void refetch();
              window.scrollTo({ top: 0 });
            }}
          >
            <ArrowUpToLine size={15} aria-hidden="true" />
            Newest
          </Button>
        )}
      </Toolbar>
      <Panel title="Actions" flush>
        {rows?.length === 0 ? (
          <Empty title={search === '' ? 'Nothing was done yet' : 'Nothing is like that'} />
        ) : !rows && trail.error !== null ? (
          <Failure error={trail.error} />
        ) : (
          <DataTable
            caption="Actions, the newest first"
            columns={columns}
            rows={rows}
            rowKey={(a) => String(a.id)}
            skeletonRows={8}
          />
        )}
        {rows && rows.length > 0 && (
          <div className={styles.foot}>
            <span>{plural(rows.length, 'action')}</span>
            {trail.hasNextPage ? (
              <Button
                disabled={trail.isFetchingNextPage}
                onClick={() => {
                  void trail.fetchNextPage();
                }}
              >
                {trail.isFetchingNextPage ? 'On their way…' : 'Older ones'}
              </Button>
            ) : (
              <span>No older ones</span>
            )}
          </div>
        )}
      </Panel>
    </AdminPage>
  );
}

/** Whether the page stands at its beginning, and nothing on it is marked. */
function isAtTop(): boolean {
  return window.scrollY < 40 && document.getSelection()?.isCollapsed !== false;
}

/** A text that follows once nobody types any more. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => {
      setSettled(text);
    }, SETTLE);
    return () => {
      clearTimeout(timer);
    };
  }, [text]);
  return settled;
}
