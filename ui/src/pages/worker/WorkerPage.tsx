import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ApiError } from '../../api/client';
import { workerQuery, type Worker } from '../../api/workers';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Pill } from '../../components/Pill';
import { SaveStar } from '../../components/SaveStar';
import { Skeleton } from '../../components/Skeleton';
import { StaleNote } from '../../components/StaleNote';
import { Time } from '../../components/Time';
import { plural } from '../../lib/format';
import { Page } from '../scope/Page';
import { BestSharesPanel } from './BestSharesPanel';
import { CoinbasePanel } from './CoinbasePanel';
import { ConnectionsPanel } from './ConnectionsPanel';
import { HashratePanel } from './HashratePanel';
import { Headline } from './Headline';
import { RejectsPanel } from './RejectsPanel';
import { SharesPanel } from './SharesPanel';
import styles from './WorkerPage.module.css';

/** One worker: how fast, how well, and what its next block would pay. */
export function WorkerPage() {
  const { id } = useParams({ from: '/workers/$id' });
  const { data: worker, error, dataUpdatedAt } = useQuery(workerQuery(id));
  if (!worker && error) return <Missing error={error} />;
  return (
    <Page title={worker ? rigOf(worker) : 'Worker'} aside={<Aside worker={worker} />}>
      <p className={styles.name} data-testid="worker-name" title={worker?.name}>
        {worker ? worker.name : <Skeleton width="40ch" />}
      </p>
      <StaleNote error={worker ? error : null} updatedAt={dataUpdatedAt} />
      <Headline worker={worker} />
      <div className={styles.charts}>
        <HashratePanel id={id} />
        <SharesPanel worker={worker} />
      </div>
      <div className={styles.stack}>
        <CoinbasePanel id={id} worker={worker} />
        <ConnectionsPanel worker={worker} />
      </div>
      <div className={styles.columns}>
        <RejectsPanel worker={worker} />
        <BestSharesPanel worker={worker} />
      </div>
    </Page>
  );
}

/** The miner's own name, which is what people know it by; the address where it has none. */
function rigOf({ name }: Worker): string {
  const match = /[^.]\.(?!\.)/.exec(name);
  return match ? name.slice(match.index + 2) : name;
}

function Aside({ worker: w }: { worker: Worker | undefined }) {
  if (!w) return <Skeleton width="36ch" />;
  return (
    <>
      {w.online ? (
        <>
          <Pill tone="good">Online</Pill>
          <span>{plural(w.connections, 'connection')}</span>
        </>
      ) : (
        <>
          <Pill>Offline</Pill>
          <span>
            last seen <Time at={w.last_seen} ago />
          </span>
        </>
      )}
      <span>
        first seen <Time at={w.first_seen} />
      </span>
      <SaveStar id={w.id} name={w.name} />
      <Link to="/workers">All workers</Link>
    </>
  );
}

function Missing({ error }: { error: Error }) {
  const unknown = error instanceof ApiError && (error.status === 404 || error.status === 400);
  return (
    <Page title="Worker" aside={<Link to="/workers">All workers</Link>}>
      <Panel title="Worker">
        {unknown ? (
          <Empty title="No such worker">
            <p>
              Workers are kept for half an hour after they left. If you typed its name: it must be
              the whole name as the miner sends it, with every letter as it is.
            </p>
          </Empty>
        ) : (
          <Failure error={error} />
        )}
      </Panel>
    </Page>
  );
}
