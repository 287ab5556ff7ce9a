import { Link } from '@tanstack/react-router';
import { useView } from '../../api/LiveProvider';
import type { Worker } from '../../api/types';
import { DataTable, type Column } from '../../components/DataTable';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { WorkerLink } from '../../components/WorkerLink';
import { accuracyText } from '../../lib/accuracy';
import {
  formatCount,
  formatDifficulty,
  formatHashrate,
  formatRate,
  plural,
} from '../../lib/format';
import styles from './MinersPanel.module.css';

type Key = 'name' | 'hashrate' | 'difficulty' | 'rate' | 'accepted';

const columns: Column<Worker, Key>[] = [
  {
    key: 'name',
    header: 'Miner',
    card: 'title',
    value: (w) => w.display_name,
    cell: (w) => <WorkerLink name={w.display_name} />,
  },
  {
    key: 'hashrate',
    header: 'Hashrate',
    card: 'lead',
    numeric: true,
    value: (w) => w.rolling_hashrate,
    unit: 'H/s',
    cell: (w) => (
      <>
        {w.hashrate_accuracy && (
          <span className={styles.mark} title={accuracyText(w.hashrate_accuracy)}>
            {w.hashrate_accuracy}
          </span>
        )}
        {formatHashrate(w.rolling_hashrate)}
      </>
    ),
  },
  {
    key: 'difficulty',
    header: 'Difficulty',
    card: 'detail',
    numeric: true,
    value: (w) => w.difficulty,
    cell: (w) => formatDifficulty(w.difficulty),
  },
  {
    key: 'rate',
    header: 'Shares/min',
    card: 'detail',
    numeric: true,
    value: (w) => w.share_rate,
    cell: (w) => formatRate(w.share_rate),
  },
  {
    key: 'accepted',
    header: 'Accepted',
    card: 'detail',
    numeric: true,
    value: (w) => w.accepted,
    cell: (w) => formatCount(w.accepted),
  },
];

export function MinersPanel() {
  const { data: overview, error } = useView('overview');
  const workers = overview?.workers;
  const hidden = overview ? overview.active_miners - overview.workers.length : 0;
  return (
    <Panel title="Miners" flush aside={<Link to="/workers">All workers</Link>}>
      {workers?.length === 0 ? (
        <Empty title={hidden > 0 ? 'No share from any miner yet' : 'No miner is connected'}>
          {hidden > 0 ? (
            `${plural(hidden, 'connection')} open; a miner is listed with its first accepted share.`
          ) : (
            <>
              Give yours the address under <a href="#connect">Connect a miner</a>.
            </>
          )}
        </Empty>
      ) : !workers && error ? (
        <Failure error={error} />
      ) : (
        <>
          <DataTable
            caption="Miners with a share in the last half hour"
            columns={columns}
            rows={workers}
            rowKey={(w) => w.name}
            initialSort={{ key: 'hashrate', descending: true }}
          />
          {hidden > 0 && (
            <p className={styles.more}>
              The {workers?.length} that were active last, of {formatCount(overview?.active_miners)}{' '}
              connections. <Link to="/workers">All workers</Link>
            </p>
          )}
        </>
      )}
    </Panel>
  );
}
