import { useQuery } from '@tanstack/react-query';
import { bansQuery } from '../../api/bans';
import { isRefused } from '../../api/client';
import { StaleNote } from '../../components/StaleNote';
import { askForToken, token } from '../../scope/access';
import { Page } from '../scope/Page';
import { BanForm } from './BanForm';
import styles from './BansPage.module.css';
import { BansTable } from './BansTable';
import { PublicBans } from './PublicBans';

/** Who is banned, for how long and why; for the operator, to change as well. */
export function BansPage() {
  const { data, error, dataUpdatedAt, refetch } = useQuery(bansQuery);
  const locked = isRefused(error);

  const unlock = async () => {
    let wrong = token() !== '';
    while (await askForToken({ reason: 'operator', wrong })) {
      const answer = await refetch();
      if (!isRefused(answer.error)) return;
      wrong = true;
    }
  };

  return (
    <Page title="Bans">
      <div className={styles.stack}>
        {locked ? (
          <PublicBans onUnlock={() => void unlock()} />
        ) : (
          <>
            <StaleNote error={error} updatedAt={dataUpdatedAt} />
            <BanForm />
            <BansTable bans={data?.bans} error={error} />
          </>
        )}
      </div>
    </Page>
  );
}
