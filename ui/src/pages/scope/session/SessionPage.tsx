import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ApiError } from '../../../api/client';
import { Empty, Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Pill } from '../../../components/Pill';
import { Skeleton } from '../../../components/Skeleton';
import { factsQuery, sessionQuery } from '../../../scope/queries';
import { closeText, ORIGINS, shortSession, shortWorker } from '../../../scope/words';
import { AlarmsPanel } from '../alarms/AlarmList';
import { Page } from '../Page';
import { Actions } from './Actions';
import { AutoReplayPanel } from './AutoReplayPanel';
import { BroadcastPanel } from './Broadcast';
import { AboutPanel, LatencyPanel, SharesFacts } from './FactsPanels';
import { JobsPanel } from './JobsPanel';
import styles from './SessionPage.module.css';
import { SharesPanel } from './SharesPanel';
import { TimelinePanel } from './TimelinePanel';

/** One connection of a miner: what it is, how it went, and everything in it. */
export function SessionPage() {
  const { id } = useParams({ from: '/scope/sessions/$id' });
  const { data: session, error } = useQuery(sessionQuery(id));
  const { data: facts, error: factsError } = useQuery(factsQuery(id, session?.live ?? true));

  if (!session && error) {
    return (
      <Page title={`Session ${shortSession(id)}`}>
        <Panel title="Session">
          {error instanceof ApiError && error.status === 404 ? (
            <Empty title="This session is not kept (any more)">
              <Link to="/scope/sessions">All sessions</Link>
            </Empty>
          ) : (
            <Failure error={error} />
          )}
        </Panel>
      </Page>
    );
  }

  const worker = session?.workers?.[0];
  const title = worker ? shortWorker(worker) : (session?.peer ?? `Session ${shortSession(id)}`);
  const live = session?.live ?? true;
  return (
    <Page
      title={title}
      aside={
        session ? (
          <>
            <Pill>{ORIGINS[session.origin]?.text ?? session.origin}</Pill>
            {session.live ? (
              <Pill tone="good">Live</Pill>
            ) : (
              <Pill tone="warn">{closeText(session.close_reason)}</Pill>
            )}
          </>
        ) : (
          <Skeleton />
        )
      }
    >
      {session && <Actions session={session} />}
      {factsError && !facts ? (
        <Panel title="Audit">
          <Failure error={factsError} />
        </Panel>
      ) : (
        <TimelinePanel id={id} live={live} began={session?.first_seen} ended={session?.ended_at} />
      )}
      <div className={styles.columns}>
        <AboutPanel session={session} facts={facts} />
        <SharesFacts facts={facts} />
        <LatencyPanel facts={facts} />
      </div>
      <div className={styles.stack}>
        <AlarmsPanel session={id} live={live} />
        <SharesPanel id={id} live={live} />
        <JobsPanel id={id} live={live} />
        {session && <BroadcastPanel session={session} />}
        {session && <AutoReplayPanel session={session} />}
      </div>
    </Page>
  );
}
