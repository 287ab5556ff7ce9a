import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { X } from 'lucide-react';
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { workersQuery, type WorkerList } from '../../api/workers';
import { Button } from '../../components/Button';
import { CopyTable } from '../../components/CopyTable';
import {
  HeldNote,
  LongList,
  LongListFoot,
  LongListLoading,
  ShownCount,
} from '../../components/LongList';
import { Empty, Failure } from '../../components/Message';
import { OperatorHint } from '../../components/OperatorHint';
import { SearchField } from '../../components/SearchField';
import { Segmented } from '../../components/Segmented';
import { Skeleton } from '../../components/Skeleton';
import { SortField } from '../../components/SortField';
import { StaleNote } from '../../components/StaleNote';
import { Toolbar } from '../../components/Toolbar';
import { useTableCopy } from '../../components/useTableCopy';
import { formatCount, plural } from '../../lib/format';
import { nextSort } from '../../lib/sort';
import { Page } from '../scope/Page';
import { COLUMNS } from './columns';
import { FindWorker } from './FindWorker';
import { filterWorkers, type State, type View } from './list';
import { toSearch, toView } from './search';
import { workersTSV } from './tsv';
import { useOrder } from './useOrder';
import styles from './WorkersPage.module.css';
import { WorkerTable, type TableHandle } from './WorkerTable';

/** Pause after the last keystroke before the address of the page follows, ms. */
const SETTLE = 300;

/** Everyone who mines here: who is online, how fast, and how well. */
export function WorkersPage() {
  const { data, error, dataUpdatedAt } = useQuery(workersQuery);
  const [view, setView] = useView();
  const text = useDeferredValue(view.text);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [holds, setHolds] = useState({ pointer: false, focus: false, scroll: false });
  const found = useMemo(
    () => data && filterWorkers(data.workers, { text, state: view.state }),
    [data, text, view.state],
  );
  const sort = { key: view.sort, descending: view.descending };
  const { rows, held, sortNow } = useOrder(
    found,
    sort,
    holds.pointer || holds.focus || holds.scroll,
    COLUMNS,
  );

  const table = useRef<TableHandle>(null);
  const search = useRef<HTMLInputElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const chosen = selected.size === 0 ? rows : rows.filter((w) => selected.has(w.id));
  const copying = useTableCopy(frame, (range) =>
    range ? undefined : { text: workersTSV(chosen), rows: chosen.length },
  );

  const onSort = (key: string, numeric: boolean) => {
    setView({ ...view, ...sortChange(view, key, numeric) });
    table.current?.toTop();
  };
  const onToggle = useCallback((id: string) => {
    setSelected((now) => {
      const next = new Set(now);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  }, []);

  return (
    <Page
      title="Workers"
      aside={
        data ? (
          <span data-testid="worker-count">
            {plural(data.total, 'worker')}, {formatCount(data.online)} online
          </span>
        ) : (
          <Skeleton width="20ch" />
        )
      }
    >
      <StaleNote error={data ? error : null} updatedAt={dataUpdatedAt} />
      <Toolbar>
        <SearchField
          ref={search}
          label="Search workers"
          placeholder="Name or miner…"
          width={280}
          value={view.text}
          onChange={(next) => {
            setView({ ...view, text: next });
            table.current?.toTop();
          }}
          onKeyDown={(event) => {
            if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
            event.preventDefault();
            table.current?.focus();
          }}
        />
        <Segmented
          legend="State"
          options={[
            { value: 'all', label: 'All' },
            { value: 'online', label: 'Online' },
            { value: 'offline', label: 'Offline' },
          ]}
          value={view.state}
          onChange={(state: State) => {
            setView({ ...view, state });
            table.current?.toTop();
          }}
        />
        <SortField
          columns={COLUMNS}
          sort={sort}
          onSort={({ key, descending }) => {
            setView({ ...view, sort: key, descending });
          }}
        />
      </Toolbar>
      <LongList label="List of workers" ref={frame}>
        {!data && error ? (
          <Failure error={error} />
        ) : !data ? (
          <LongListLoading />
        ) : rows.length === 0 ? (
          <Nothing list={data} />
        ) : (
          <WorkerTable
            ref={table}
            rows={rows}
            sort={sort}
            onSort={onSort}
            selected={selected}
            onSelect={setSelected}
            onToggle={onToggle}
            onOpen={(id) => void navigate({ to: '/workers/$id', params: { id } })}
            onType={(character) => {
              setView({ ...view, text: view.text + character });
              search.current?.focus();
              table.current?.toTop();
            }}
            onHold={(reason, value) => {
              setHolds((now) => (now[reason] === value ? now : { ...now, [reason]: value }));
            }}
          />
        )}
        <LongListFoot
          aside={
            <CopyTable
              caption={selected.size > 0 ? 'selected workers' : 'workers shown'}
              copied={copying.copied}
              onCopy={copying.copy}
            />
          }
        >
          {data && (
            <ShownCount shown={rows.length} all={data.workers.length} truncated={data.truncated} />
          )}
          {selected.size > 0 && (
            <Button
              small
              onClick={() => {
                setSelected(new Set());
              }}
            >
              <X size={14} aria-hidden="true" />
              {formatCount(chosen.length)} selected
            </Button>
          )}
          {held && <HeldNote onSort={sortNow} />}
        </LongListFoot>
      </LongList>
      <div className={styles.below}>
        <FindWorker label="Find my worker" />
        {data && !data.operator && (
          <OperatorHint hidden="Addresses are shortened for the public." />
        )}
      </div>
    </Page>
  );
}

/** The view, which the address of the page follows. */
function useView(): [View, (view: View) => void] {
  const search = useSearch({ from: '/workers' });
  const navigate = useNavigate({ from: '/workers' });
  const router = useRouter();
  const [view, setView] = useState(() => toView(search));
  useEffect(() => {
    const next = toSearch(view);
    if (JSON.stringify(next) === JSON.stringify(search)) return;
    const timer = setTimeout(() => {
      // Whoever has gone on to a worker is not called back.
      if (router.latestLocation.pathname !== '/workers') return;
      void navigate({ search: next, replace: true, resetScroll: false });
    }, SETTLE);
    return () => {
      clearTimeout(timer);
    };
  }, [view, search, navigate, router]);
  return [view, setView];
}

function sortChange(view: View, key: string, numeric: boolean): Pick<View, 'sort' | 'descending'> {
  const next = nextSort({ key: view.sort, descending: view.descending }, key, numeric);
  return { sort: next.key, descending: next.descending };
}

function Nothing({ list }: { list: WorkerList }) {
  if (list.workers.length > 0) {
    return <Empty title="No worker is like that">Change the search or the switch.</Empty>;
  }
  return (
    <Empty title="No worker yet">
      A worker is listed as soon as it signs in.{' '}
      <Link to="/" hash="connect">
        How to connect one
      </Link>
    </Empty>
  );
}
