import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { savedQuery, type SavedWorkers } from '../../api/saved';
import { sessionQuery, wantsSignIn } from '../../api/session';
import { Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { SignInPrompt } from '../../components/SignInPrompt';
import { Skeleton } from '../../components/Skeleton';
import { StaleNote } from '../../components/StaleNote';
import { formatCount, parseTime } from '../../lib/format';
import { Page } from '../scope/Page';
import { groupSaved } from './group';
import { SavedTable } from './SavedTable';
import { SaveForm } from './SaveForm';
import styles from './SavedPage.module.css';
import { WorkerDialog } from './WorkerDialog';

/** The workers that somebody keeps an eye on. */
export function SavedPage() {
  const { data: session, error: sessionError } = useQuery(sessionQuery);
  const signedIn = session?.signed_in === true;
  const { data, error, dataUpdatedAt } = useQuery({ ...savedQuery, enabled: signedIn });
  const workers = useMemo(() => data && groupSaved(data), [data]);
  const [chosen, setChosen] = useState<string>();
  const open = workers?.find((w) => w.hash === chosen);

  if ((session && !signedIn) || wantsSignIn(error)) {
    return (
      <Page title="Saved workers">
        <SignInPrompt title="Your miners on one page">
          <p>
            Save workers by name, see how their last day went, and be told when one stops. Prove
            that one is yours, and you may restart it, set its difficulty and look at its wire.
          </p>
        </SignInPrompt>
      </Page>
    );
  }
  return (
    <Page title="Saved workers" aside={signedIn ? <Count list={data} /> : undefined}>
      <div className={styles.stack}>
        <StaleNote error={data ? error : null} updatedAt={dataUpdatedAt} />
        {!data && (error ?? sessionError) ? (
          <Panel title="Saved workers">
            <Failure error={error ?? sessionError} />
          </Panel>
        ) : (
          <>
            <SaveForm list={data} />
            <SavedTable
              workers={workers}
              now={parseTime(data?.updated_at) ?? dataUpdatedAt}
              onOpen={setChosen}
            />
          </>
        )}
      </div>
      {open && (
        <WorkerDialog
          key={open.hash}
          worker={open}
          onClose={() => {
            setChosen(undefined);
          }}
        />
      )}
    </Page>
  );
}

function Count({ list }: { list: SavedWorkers | undefined }) {
  if (!list) return <Skeleton width="22ch" />;
  return (
    <span data-testid="saved-count">
      {formatCount(list.saved_count)} of {formatCount(list.saved_max)} saved,{' '}
      {formatCount(list.online_count)} online
    </span>
  );
}
