import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useRouterState } from '@tanstack/react-router';
import { KeyRound, LockKeyhole } from 'lucide-react';
import { useEffect, useRef, type ReactNode } from 'react';
import { useSession } from '../../api/session';
import { ADMIN_AREAS } from '../../app/navigation';
import { Button } from '../../components/Button';
import { Panel } from '../../components/Panel';
import { askForToken, token } from '../../scope/access';
import { Page } from '../scope/Page';
import styles from './AdminPage.module.css';

interface AdminPageProps {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
}

/** A page of the administration: for operators only, with the way to the other ones. */
export function AdminPage({ title, aside, children }: AdminPageProps) {
  const session = useSession();
  // As long as nobody says otherwise: the views know for themselves whom they refuse.
  if (session?.operator === false) {
    return (
      <Page title={title}>
        <NotOperator name={session.user?.name} />
      </Page>
    );
  }
  return (
    <Page title={title} aside={aside}>
      <Tabs />
      {children}
    </Page>
  );
}

function Tabs() {
  const row = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (s) => s.location.pathname });

  // On a phone the row is longer than the screen.
  useEffect(() => {
    const current = row.current?.querySelector<HTMLElement>('[aria-current="page"]');
    if (row.current && current) {
      row.current.scrollLeft = current.offsetLeft - row.current.offsetLeft - 40;
    }
  }, [path]);

  return (
    <nav ref={row} className={styles.tabs} aria-label="Administration">
      {ADMIN_AREAS.areas.map((area) => (
        <Link key={area.to} to={area.to} activeOptions={{ exact: area.exact ?? false }}>
          {area.label}
        </Link>
      ))}
    </nav>
  );
}

/** In place of a page for somebody who is no operator. */
function NotOperator({ name }: { name: string | undefined }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const href = useRouterState({ select: (s) => s.location.href });
  const enterToken = async () => {
    if (await askForToken({ reason: 'operator', wrong: token() !== '' })) {
      await client.invalidateQueries();
    }
  };
  return (
    <Panel title="For operators">
      <div className={styles.locked}>
        <LockKeyhole size={20} aria-hidden="true" />
        <p>
          {name === undefined
            ? 'The administration is for operators, who are signed in or have the access token.'
            : `You are signed in as ${name}, who is no operator. Another operator can change that under Accounts.`}
        </p>
        <div className={styles.buttons}>
          <Button onClick={() => void enterToken()}>
            <KeyRound size={15} aria-hidden="true" />
            Use the access token
          </Button>
          {name === undefined && (
            <Button
              tone="primary"
              onClick={() => {
                void navigate({ to: '/sign-in', search: { return_to: href } });
              }}
            >
              Sign in
            </Button>
          )}
        </div>
      </div>
    </Panel>
  );
}
