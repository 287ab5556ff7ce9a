import { useQuery } from '@tanstack/react-query';
import { TriangleAlert } from 'lucide-react';
import { useView } from '../../api/LiveProvider';
import { poolPageQuery, serverPageQuery, type ServerPage as View } from '../../api/pages';
import { Figure, Figures } from '../../components/Figures';
import { StaleNote } from '../../components/StaleNote';
import { useNow } from '../../lib/clock';
import {
  formatBytes,
  formatCount,
  formatDifficulty,
  formatDuration,
  formatPercent,
  NONE,
  parseTime,
  sentence,
} from '../../lib/format';
import { Page } from '../scope/Page';
import { CountsPanel } from './CountsPanel';
import { ErrorsPanel } from './ErrorsPanel';
import { troubles } from './errors';
import { FeedPanel, MachinePanel, RPCPanel } from './FactsPanels';
import { ListenersPanel } from './ListenersPanel';
import { CLOSES, DROPS } from './reasons';
import styles from './ServerPage.module.css';

/** The program itself: how it fares, who connects, and why connections ended. */
export function ServerPage() {
  const server = useQuery(serverPageQuery);
  const pool = useQuery(poolPageQuery);
  const { data: status } = useView('status');
  const error = server.error ?? pool.error;
  return (
    <Page title="Server">
      <StaleNote error={error} updatedAt={server.dataUpdatedAt} />
      <Troubles server={server.data} />
      <Headline server={server.data} />
      <div className={styles.stack}>
        <div className={styles.columns}>
          <MachinePanel server={server.data} error={server.error} />
          <FeedPanel server={server.data} error={server.error} />
          <RPCPanel server={server.data} pool={pool.data} error={error} />
        </div>
        <ListenersPanel />
        <ErrorsPanel pool={pool.data} server={server.data} error={error} />
        <div className={styles.halves}>
          <CountsPanel
            title="Closed connections"
            caption="Connections closed since the start, by reason"
            header="Why"
            words={CLOSES}
            counts={status?.closes}
            none="No connection has ended since the program started."
          />
          <CountsPanel
            title="Not delivered"
            caption="What was not delivered since the start, by reason"
            header="What"
            words={DROPS}
            counts={status?.drops}
            none="Everything was delivered since the program started."
          />
        </div>
      </div>
    </Page>
  );
}

function Troubles({ server }: { server: View | undefined }) {
  const found = troubles(server);
  if (found.length === 0) return null;
  return (
    <div className={styles.trouble} role="alert">
      <TriangleAlert size={20} aria-hidden="true" />
      <div>
        {found.map(({ title, message }) => (
          <p key={title}>
            <b>{title}.</b> {message !== '' && sentence(message)}
          </p>
        ))}
      </div>
    </div>
  );
}

function Headline({ server }: { server: View | undefined }) {
  const { data: status } = useView('status');
  const now = useNow();
  const started = parseTime(status?.started_at);
  const uptime =
    started === undefined ? server && server.uptime / 1e9 : Math.max(now - started, 0) / 1000;
  const [rss, rssUnit] = formatBytes(server?.process_rss_bytes).split(' ');
  const perConnection =
    server && status && status.connections > 0
      ? server.process_rss_bytes / status.connections
      : undefined;
  return (
    <Figures label="Figures of the server">
      <Figure
        label="Up for"
        value={server && formatDuration(uptime)}
        note={status ? `poolscope ${status.version}` : ''}
      />
      <Figure
        label="Processor"
        title="100 % would be all cores of this machine"
        value={server && formatPercent(server.process_cpu_percent / 100)}
        note="of all cores, by this program"
      />
      <Figure
        label="Memory"
        title="Resident memory of the process"
        value={server && (server.process_rss_bytes > 0 ? rss : NONE)}
        unit={rssUnit}
        note={
          perConnection !== undefined && (status?.connections ?? 0) >= 100
            ? `${formatBytes(perConnection)} per connection`
            : server && `${formatBytes(server.go_mem_alloc_bytes)} of it in use by Go`
        }
      />
      <Figure
        label="Load"
        title="Processes that run or wait for a processor: mean of the last minute"
        value={server && formatDifficulty(server.system_load1)}
        note={
          server &&
          `${formatDifficulty(server.system_load5)} in 5 min, ${formatDifficulty(server.system_load15)} in 15`
        }
      />
      <Figure
        label="Connections"
        value={status && formatCount(status.connections)}
        note={
          status &&
          `${formatCount(status.authorized)} signed in, ${formatCount(status.tls_connections)} over TLS`
        }
      />
      <Figure
        label="Goroutines"
        value={server && formatCount(server.process_goroutines)}
        note="light threads of Go"
      />
    </Figures>
  );
}
