import { useQuery } from '@tanstack/react-query';
import { discordQuery } from '../../api/discord';
import { savedQuery } from '../../api/saved';
import { sessionQuery, type Session } from '../../api/session';
import { Facts } from '../../components/Facts';
import { Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Pill } from '../../components/Pill';
import { SignInPrompt } from '../../components/SignInPrompt';
import { Time } from '../../components/Time';
import { NONE } from '../../lib/format';
import { providerWord, roleMeans, roleTone, roleWord } from '../../lib/people';
import { Page } from '../scope/Page';
import styles from './AccountPage.module.css';
import { DiscordPanel } from './DiscordPanel';
import { PasswordPanel } from './PasswordPanel';
import { SessionsPanel } from './SessionsPanel';

/** Who somebody is here, where they are signed in, and what leads to them. */
export function AccountPage() {
  const { data: session, error } = useQuery(sessionQuery);
  const signedIn = session?.signed_in === true;
  const { data: saved } = useQuery({ ...savedQuery, enabled: signedIn, refetchInterval: false });
  // Whether the pool has a bot is told there; asking one that it has not is an error.
  const hasBot = saved?.discord_registered !== undefined;
  const { data: discord } = useQuery({ ...discordQuery, enabled: signedIn && hasBot });
  if (session && !signedIn) {
    return (
      <Page title="Account">
        <SignInPrompt title="Nobody is signed in here">
          <p>Your password, where you are signed in, and what is linked with you.</p>
        </SignInPrompt>
      </Page>
    );
  }
  return (
    <Page title="Account">
      <div className={styles.stack}>
        {!session && error ? (
          <Panel title="You">
            <Failure error={error} />
          </Panel>
        ) : (
          <>
            <div className={styles.columns}>
              <You session={session} />
              {session?.user?.provider === 'local' && <PasswordPanel name={session.user.name} />}
              {discord && <DiscordPanel link={discord} />}
            </div>
            {signedIn && <SessionsPanel />}
          </>
        )}
      </div>
    </Page>
  );
}

function You({ session }: { session: Session | undefined }) {
  const user = session?.user;
  return (
    <Panel title="You">
      <Facts
        items={[
          [
            'Name',
            user && (
              <span className={styles.name} dir="auto">
                {user.name}
              </span>
            ),
          ],
          ['Role', user && <Pill tone={roleTone(user.role)}>{roleWord(user.role)}</Pill>],
          ['E-mail', user && (user.email ?? NONE)],
          ['Signs in', user && providerWord(user.provider, session.providers)],
          ['Account since', user && <Time at={user.created_at} />],
          ['This session ends', user && <Time at={session.expires_at} />],
        ]}
      />
      <p className={styles.hint}>{user ? roleMeans(user.role) : ''}</p>
    </Panel>
  );
}
