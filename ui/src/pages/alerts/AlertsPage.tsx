import { useQuery } from '@tanstack/react-query';
import { alertsQuery } from '../../api/alerts';
import { sessionQuery, wantsSignIn } from '../../api/session';
import { Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { SignInPrompt } from '../../components/SignInPrompt';
import { StaleNote } from '../../components/StaleNote';
import { Page } from '../scope/Page';
import styles from './AlertsPage.module.css';
import { ChannelsPanel } from './ChannelsPanel';
import { RecentPanel } from './RecentPanel';
import { RulesPanel } from './RulesPanel';

/** What somebody is told about, where, and what became of it. */
export function AlertsPage() {
  const { data: session, error: sessionError } = useQuery(sessionQuery);
  const known = session !== undefined && (session.signed_in || session.operator);
  const { data, error, dataUpdatedAt } = useQuery({ ...alertsQuery, enabled: known });

  if ((session && !known) || wantsSignIn(error)) {
    return (
      <Page title="Alerts">
        <SignInPrompt title="Be told when something happens">
          <p>
            A worker stops, a block is found, shares are rejected: by ntfy, Telegram, e-mail,
            Matrix, Discord or a webhook. With quiet hours for the night.
          </p>
        </SignInPrompt>
      </Page>
    );
  }
  return (
    <Page title="Alerts">
      <div className={styles.stack}>
        <StaleNote error={data ? error : null} updatedAt={dataUpdatedAt} />
        {!data && (error ?? sessionError) ? (
          <Panel title="Alerts">
            <Failure error={error ?? sessionError} />
          </Panel>
        ) : (
          <>
            <div className={styles.columns}>
              <ChannelsPanel alerts={data} />
              <RulesPanel alerts={data} session={session} />
            </div>
            <RecentPanel alerts={data} />
          </>
        )}
      </div>
    </Page>
  );
}
