import { useMemo } from 'react';
import { useBlocks, useView } from '../../api/LiveProvider';
import { CopyButton } from '../../components/CopyButton';
import { DataTable, type Column } from '../../components/DataTable';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Time } from '../../components/Time';
import { WorkerLink } from '../../components/WorkerLink';
import { earnings, withWaits, type TimedBlock } from '../../lib/blocks';
import {
  formatBTC,
  formatCount,
  formatDifficulty,
  formatDuration,
  formatSats,
} from '../../lib/format';
import { Page } from '../scope/Page';
import { BlockNews } from './BlockNews';
import { BlocksHeadline } from './BlocksHeadline';
import styles from './BlocksPage.module.css';
import { Odds } from './Odds';
import { Result } from './Result';
import { useNewBlocks } from './useNewBlocks';

type Key =
  'height' | 'result' | 'worker' | 'hash' | 'difficulty' | 'payout' | 'fee' | 'after' | 'time';

const columns: Column<TimedBlock, Key>[] = [
  {
    key: 'height',
    header: 'Block',
    card: 'title',
    value: (b) => b.height,
    cell: (b) => <span className={styles.height}>#{formatCount(b.height)}</span>,
  },
  {
    key: 'result',
    header: 'Result',
    card: 'lead',
    value: (b) => (b.result === 'stale' ? -1 : (b.confirmations ?? 0)),
    raw: (b) => (b.result === 'stale' ? 'stale' : b.confirmations),
    rawHeader: 'Confirmations',
    cell: (b) => <Result block={b} />,
  },
  {
    key: 'worker',
    header: 'Miner',
    card: 'detail',
    value: (b) => b.display_worker,
    cell: (b) => <WorkerLink name={b.display_worker} />,
  },
  {
    key: 'hash',
    header: 'Hash',
    card: 'detail',
    raw: (b) => b.hash,
    cell: (b) => (
      <span className={styles.hash}>
        <code>{b.display_hash}</code>
        <CopyButton text={b.hash} label={`Copy the end of the hash of block ${b.height}`} />
      </span>
    ),
  },
  {
    key: 'difficulty',
    header: 'Share difficulty',
    card: 'detail',
    numeric: true,
    value: (b) => b.share_diff,
    cell: (b) => <span className={styles.difficulty}>{formatDifficulty(b.share_diff)}</span>,
  },
  {
    key: 'payout',
    header: 'Payout',
    card: 'detail',
    numeric: true,
    value: (b) => b.worker_payout_sats ?? 0,
    raw: (b) => b.worker_payout_sats,
    unit: 'sats',
    cell: (b) => <Amount sats={b.worker_payout_sats} />,
  },
  {
    key: 'fee',
    header: 'Fee',
    card: 'detail',
    numeric: true,
    value: (b) => b.pool_fee_sats ?? 0,
    unit: 'sats',
    cell: (b) => (b.pool_fee_sats ? <Amount sats={b.pool_fee_sats} /> : 'none'),
  },
  {
    key: 'after',
    header: 'After',
    card: 'detail',
    numeric: true,
    value: (b) => b.after ?? -1,
    raw: (b) => b.after,
    rawHeader: 'Since the block before',
    unit: 's',
    cell: (b) => formatDuration(b.after),
  },
  {
    key: 'time',
    header: 'Found',
    card: 'detail',
    numeric: true,
    value: (b) => Date.parse(b.timestamp),
    raw: (b) => b.timestamp,
    cell: (b) => <Time at={b.timestamp} />,
  },
];

/** Every block that this pool found, as far back as the contract goes: a hundred. */
export function BlocksPage() {
  const { data: blocks, error } = useBlocks();
  const { data: status } = useView('status');
  const isNew = useNewBlocks(blocks);
  const rows = useMemo(() => blocks && withWaits(blocks), [blocks]);
  const older = rows && status ? status.blocks_accepted - earnings(rows).won : 0;
  return (
    <Page title="Blocks">
      <BlocksHeadline />
      <div className={styles.list}>
        <Panel title="Found by this pool" flush>
          {rows?.length === 0 ? (
            <Empty title="No block found yet">
              <p>
                A share that is as difficult as the network asks for becomes a block. It is listed
                here the moment it is found, and pays the miner’s own address.
              </p>
              <Odds />
            </Empty>
          ) : !rows && error ? (
            <Failure error={error} />
          ) : (
            <div data-testid="blocks">
              <DataTable
                caption="Blocks found by this pool"
                columns={columns}
                rows={rows}
                rowKey={(b) => `${b.height} ${b.hash}`}
                initialSort={{ key: 'time', descending: true }}
                isNew={isNew}
                skeletonRows={8}
              />
              {older > 0 && (
                <p className={styles.older}>
                  The latest {rows?.length}; {formatCount(older)} older ones are in the pool’s
                  books.
                </p>
              )}
            </div>
          )}
        </Panel>
      </div>
      <BlockNews />
    </Page>
  );
}

/** An amount in bitcoin, and to the satoshi beneath. */
function Amount({ sats }: { sats: number | undefined }) {
  return (
    <span className={styles.amount}>
      {formatBTC(sats)}
      {sats !== undefined && <small>{formatSats(sats)}</small>}
    </span>
  );
}
