import { useState } from 'react';
import { useBlocks } from '../../api/LiveProvider';
import type { FoundBlock } from '../../api/types';
import { DataTable, type Column } from '../../components/DataTable';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Pill } from '../../components/Pill';
import { Time } from '../../components/Time';
import { WorkerName } from '../../components/WorkerName';
import { formatBTC, formatCount, parseTime, plural } from '../../lib/format';
import styles from './BlocksPanel.module.css';

/** Confirmations from which on a block counts as settled. */
const DEEP = 6;

/** Rows shown before somebody asks for all. */
const FIRST = 6;

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
    cell: (b) => <WorkerName name={b.display_worker} />,
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
  const [all, setAll] = useState(false);
  const [openedAt] = useState(() => Date.now());
  return (
    <Panel title="Blocks found" flush>
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
            rows={all ? blocks : blocks?.slice(0, FIRST)}
            rowKey={(b) => b.hash}
            isNew={(b) => (parseTime(b.timestamp) ?? 0) > openedAt}
          />
          {blocks && blocks.length > FIRST && (
            <button
              type="button"
              className={styles.more}
              aria-expanded={all}
              onClick={() => {
                setAll(!all);
              }}
            >
              {all ? `Show the latest ${FIRST}` : `Show the latest ${blocks.length}`}
            </button>
          )}
        </div>
      )}
    </Panel>
  );
}

/** What became of a block, in words. */
function Result({ block }: { block: FoundBlock }) {
  const deep = block.confirmations ?? 0;
  if (block.result === 'stale') {
    return <Pill tone="bad">Stale, another block won</Pill>;
  }
  if (block.result === 'winning' || deep >= DEEP) {
    return <Pill tone="good">Confirmed, {plural(deep, 'block')} deep</Pill>;
  }
  if (deep > 0) {
    return (
      <Pill tone="gold">
        {deep} of {DEEP} confirmations
      </Pill>
    );
  }
  return <Pill>Sent to the node</Pill>;
}
