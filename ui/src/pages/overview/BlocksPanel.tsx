import { Link } from '@tanstack/react-router';
import { useBlocks } from '../../api/LiveProvider';
import type { FoundBlock } from '../../api/types';
import { DataTable, type Column } from '../../components/DataTable';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Time } from '../../components/Time';
import { WorkerLink } from '../../components/WorkerLink';
import { formatBTC, formatCount } from '../../lib/format';
import { Result } from '../blocks/Result';
import { useNewBlocks } from '../blocks/useNewBlocks';
import styles from './BlocksPanel.module.css';

/** Rows shown; the page of the blocks has the others. */
const SHOWN = 6;

const columns: Column<FoundBlock>[] = [
  {
    key: 'height',
    header: 'Block',
    card: 'title',
    raw: (b) => b.height,
    cell: (b) => <span className={styles.height}>#{formatCount(b.height)}</span>,
  },
  {
    key: 'result',
    header: 'Result',
    card: 'lead',
    raw: (b) => b.result,
    cell: (b) => <Result block={b} />,
  },
  {
    key: 'worker',
    header: 'Miner',
    card: 'detail',
    raw: (b) => b.display_worker,
    cell: (b) => <WorkerLink name={b.display_worker} />,
  },
  {
    key: 'hash',
    header: 'Hash',
    card: 'detail',
    raw: (b) => b.hash,
    cell: (b) => <code className={styles.hash}>{b.display_hash}</code>,
  },
  {
    key: 'payout',
    header: 'Payout',
    card: 'detail',
    numeric: true,
    raw: (b) => b.worker_payout_sats,
    unit: 'sats',
    cell: (b) => formatBTC(b.worker_payout_sats),
  },
  {
    key: 'time',
    header: 'Found',
    card: 'detail',
    numeric: true,
    raw: (b) => b.timestamp,
    cell: (b) => <Time at={b.timestamp} />,
  },
];

export function BlocksPanel() {
  const { data: blocks, error } = useBlocks();
  const isNew = useNewBlocks(blocks);
  return (
    <Panel
      title="Blocks found"
      flush
      aside={blocks && blocks.length > SHOWN && <Link to="/blocks">All blocks</Link>}
    >
      {blocks?.length === 0 ? (
        <Empty title="No block found yet">
          A share that is as difficult as the network asks for becomes a block. It is listed here
          the moment it is found, and pays the miner’s own address.
        </Empty>
      ) : !blocks && error ? (
        <Failure error={error} />
      ) : (
        <div data-testid="blocks">
          <DataTable
            caption="Blocks found by this pool, newest first"
            columns={columns}
            rows={blocks?.slice(0, SHOWN)}
            rowKey={(b) => b.hash}
            isNew={isNew}
          />
        </div>
      )}
    </Panel>
  );
}
