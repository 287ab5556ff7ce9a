import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { ArrowDown, ArrowUp, X } from 'lucide-react';
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { workersQuery, type WorkerList } from '../../api/workers';
import { Button } from '../../components/Button';
import { CopyTable } from '../../components/CopyTable';
import { Field } from '../../components/Field';
import { Empty, Failure } from '../../components/Message';
import { OperatorHint } from '../../components/OperatorHint';
import { Segmented } from '../../components/Segmented';
import { Skeleton } from '../../components/Skeleton';
import { StaleNote } from '../../components/StaleNote';
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
      <div className={styles.tools}>
        <Field label="Search workers" hidden>
          <input
            ref={search}
            type="search"
            className={styles.search}
            placeholder="Name or miner…"
            value={view.text}
            onChange={(event) => {
              setView({ ...view, text: event.target.value });
              table.current?.toTop();
            }}
            onKeyDown={(event) => {
              if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
              event.preventDefault();
              table.current?.focus();
            }}
          />
        </Field>
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
        <SortField view={view} onView={setView} />
      </div>
      <section className={styles.panel} ref={frame} aria-label="List of workers">
        {!data && error ? (
          <Failure error={error} />
        ) : !data ? (
          <Loading />
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
        <div className={styles.foot}>
          <span>
            {data &&
              (rows.length === data.workers.length
                ? `All ${formatCount(rows.length)}`
                : `${formatCount(rows.length)} of ${formatCount(data.workers.length)}`)}
            {data?.truncated !== undefined &&
              `; ${formatCount(data.truncated)} more are not listed`}
          </span>
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
          {held && (
            <span className={styles.held}>
              Held in place while you read{' '}
              <Button small onClick={sortNow}>
                Sort now
              </Button>
            </span>
          )}
          <span className={styles.copy}>
            <CopyTable
              caption={selected.size > 0 ? 'selected workers' : 'workers shown'}
              copied={copying.copied}
              onCopy={copying.copy}
            />
          </span>
        </div>
      </section>
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

/** Sorting by any column, also by those that there is no room for. */
function SortField({ view, onView }: { view: View; onView: (view: View) => void }) {
  const Icon = view.descending ? ArrowDown : ArrowUp;
  return (
    <span className={styles.sort}>
      <Field label="Sort by">
        <select
          value={view.sort}
          onChange={(event) => {
            const column = COLUMNS.find((c) => c.key === event.target.value);
            if (column) {
              onView({ ...view, sort: column.key, descending: column.numeric === true });
            }
          }}
        >
          {COLUMNS.map((c) => (
            <option key={c.key} value={c.key}>
              {c.header}
            </option>
          ))}
        </select>
      </Field>
      <Button
        aria-label={view.descending ? 'Largest first; turn round' : 'Smallest first; turn round'}
        onClick={() => {
          onView({ ...view, descending: !view.descending });
        }}
      >
        <Icon size={15} aria-hidden="true" />
      </Button>
    </span>
  );
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

function Loading() {
  return (
    <div className={styles.loading} aria-busy="true">
      <span className="visually-hidden">The list is on its way</span>
      {Array.from({ length: 8 }, (_, i) => (
        <p key={i}>
          <Skeleton width="24ch" />
          <Skeleton width="9ch" />
        </p>
      ))}
    </div>
  );
}
