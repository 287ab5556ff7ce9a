import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Ban, NotebookPen, Unplug } from 'lucide-react';
import { useDeferredValue, useMemo, useRef, useState } from 'react';
import { Button } from '../../../components/Button';
import { ConfirmDialog } from '../../../components/ConfirmDialog';
import { CopyTable } from '../../../components/CopyTable';
import {
  HeldNote,
  LongList,
  LongListFoot,
  LongListLoading,
  ShownCount,
} from '../../../components/LongList';
import { Empty, Failure } from '../../../components/Message';
import { PlainText } from '../../../components/PlainText';
import { SearchField } from '../../../components/SearchField';
import { Skeleton } from '../../../components/Skeleton';
import { SortField } from '../../../components/SortField';
import { StaleNote } from '../../../components/StaleNote';
import { Toolbar } from '../../../components/Toolbar';
import { useTableCopy } from '../../../components/useTableCopy';
import { VirtualTable } from '../../../components/VirtualTable';
import { plural } from '../../../lib/format';
import { nextSort, type Sort } from '../../../lib/sort';
import { useOrder } from '../../workers/useOrder';
import { AdminPage } from '../AdminPage';
import { disconnect, minersQuery, type Miner } from './api';
import { BanDialog } from './BanDialog';
import { MinerCard, minerColumns, minersTSV } from './columns';
import { findMiners } from './find';
import styles from './MinersPage.module.css';
import { NoteDialog } from './NoteDialog';

type Action = 'disconnect' | 'ban' | 'note';

/** Everybody who is connected, and what can be done about it. */
export function MinersPage() {
  const { data, error, dataUpdatedAt } = useQuery(minersQuery);
  const [text, setText] = useState('');
  const [sort, setSort] = useState<Sort<string>>({ key: 'connected', descending: true });
  const [hold, setHold] = useState(false);
  const [open, setOpen] = useState<{ action: Action; miner: Miner }>();
  const [outcome, setOutcome] = useState('');
  const frame = useRef<HTMLDivElement>(null);
  const search = useDeferredValue(text);

  const strikeLimit = data?.strike_limit ?? 0;
  const columns = useMemo(
    () =>
      minerColumns(strikeLimit, (miner) => (
        <RowActions
          miner={miner}
          onAction={(action) => {
            setOutcome('');
            setOpen({ action, miner });
          }}
        />
      )),
    [strikeLimit],
  );
  const found = useMemo(() => data && findMiners(data.miners, search), [data, search]);
  const { rows, held, sortNow } = useOrder(found, sort, hold || open !== undefined, columns);
  const copying = useTableCopy(frame, (range) =>
    range ? undefined : { text: minersTSV(rows), rows: rows.length },
  );
  const close = () => {
    setOpen(undefined);
  };
  const done = (words: string) => {
    setOutcome(words);
    close();
  };

  return (
    <AdminPage
      title="Live miners"
      aside={data ? plural(data.total, 'connection') : <Skeleton width="16ch" />}
    >
      <StaleNote error={data ? error : null} updatedAt={dataUpdatedAt} />
      <Toolbar>
        <SearchField
          label="Search connections"
          placeholder="Worker, address, miner, note…"
          value={text}
          onChange={setText}
        />
        <SortField columns={columns} sort={sort} onSort={setSort} narrow />
      </Toolbar>
      <p className={styles.outcome} role="status">
        {outcome}
      </p>
      <LongList label="Live connections" ref={frame}>
        {!data && error ? (
          <Failure error={error} />
        ) : !data ? (
          <LongListLoading />
        ) : rows.length === 0 ? (
          <Empty
            title={data.miners.length === 0 ? 'Nobody is connected' : 'No connection is like that'}
          />
        ) : (
          <VirtualTable
            label="Live connections"
            columns={columns}
            rows={rows}
            rowKey={(m) => m.id}
            sort={sort}
            onSort={(key, numeric) => {
              setSort(nextSort(sort, key, numeric));
            }}
            heights={{ row: 42, card: 134 }}
            card={(m) => (
              <MinerCard miner={m} strikeLimit={strikeLimit} actions={columns.at(-1)?.cell(m)} />
            )}
            onHold={setHold}
          />
        )}
        {data && rows.length > 0 && (
          <LongListFoot
            aside={
              <CopyTable
                caption="connections shown"
                copied={copying.copied}
                onCopy={copying.copy}
              />
            }
          >
            <ShownCount shown={rows.length} all={data.miners.length} truncated={data.truncated} />
            {held && <HeldNote onSort={sortNow} />}
          </LongListFoot>
        )}
      </LongList>
      {open?.action === 'disconnect' && (
        <Disconnect miner={open.miner} onDone={done} onClose={close} />
      )}
      {open?.action === 'ban' && (
        <BanDialog
          miner={open.miner}
          miners={data?.miners ?? [open.miner]}
          onDone={done}
          onClose={close}
        />
      )}
      {open?.action === 'note' && <NoteDialog miner={open.miner} onDone={done} onClose={close} />}
    </AdminPage>
  );
}

function RowActions(props: { miner: Miner; onAction: (action: Action) => void }) {
  const { miner, onAction } = props;
  const of = miner.worker === '' ? miner.remote : miner.worker;
  return (
    <span className={styles.actions}>
      {miner.worker !== '' && (
        <Button
          small
          aria-label={`Note on ${of}`}
          title="Note"
          onClick={() => {
            onAction('note');
          }}
        >
          <NotebookPen size={14} aria-hidden="true" />
        </Button>
      )}
      <Button
        small
        aria-label={`Disconnect ${of}`}
        title="Disconnect"
        onClick={() => {
          onAction('disconnect');
        }}
      >
        <Unplug size={14} aria-hidden="true" />
      </Button>
      <Button
        small
        tone="danger"
        aria-label={`Ban the address of ${of}`}
        title="Ban its address"
        onClick={() => {
          onAction('ban');
        }}
      >
        <Ban size={14} aria-hidden="true" />
      </Button>
    </span>
  );
}

function Disconnect(props: { miner: Miner; onDone: (words: string) => void; onClose: () => void }) {
  const { miner, onDone, onClose } = props;
  const client = useQueryClient();
  const closing = useMutation({
    mutationFn: () => disconnect(miner.id),
    onSuccess: async () => {
      onDone('The connection is closed.');
      await client.invalidateQueries({ queryKey: minersQuery.queryKey });
    },
  });
  return (
    <ConfirmDialog
      title="Disconnect this miner?"
      action={closing.isPending ? 'Closing…' : 'Disconnect'}
      busy={closing.isPending}
      error={closing.error}
      onConfirm={() => {
        closing.mutate();
      }}
      onClose={onClose}
    >
      <p className={styles.words}>
        {miner.worker === '' ? 'The one' : <PlainText text={miner.worker} />} from{' '}
        <code>{miner.remote}</code>. Most miners connect again by themselves within seconds; to keep
        it out, ban its address.
      </p>
    </ConfirmDialog>
  );
}
