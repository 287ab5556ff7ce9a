import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useRouterState } from '@tanstack/react-router';
import { CircleUser, LogOut, UserRound } from 'lucide-react';
import { useEffect, useId, useRef, useState, useSyncExternalStore, type ReactNode } from 'react';
import { errorText } from '../api/client';
import { useSession, type Session } from '../api/session';
import { Button } from '../components/Button';
import { Pill } from '../components/Pill';
import { roleTone, roleWord } from '../lib/people';
import { forgetToken, subscribeToAccess, token } from '../scope/access';
import styles from './AccountMenu.module.css';
import { leave } from './leave';
import { useGroups } from './useGroups';

/** Who is signed in, what is theirs, and the way out; or the way in. */
export function AccountMenu() {
  const session = useSession();
  const path = useRouterState({ select: (s) => s.location.pathname });
  // Without an answer there is nothing to offer, and no room to take from the rest.
  if (!session) return null;
  if (!session.signed_in && !session.operator) {
    return (
      <SignInLink className={styles.signIn} path={path}>
        <CircleUser size={17} aria-hidden="true" />
        <span>Sign in</span>
      </SignInLink>
    );
  }
  return <Menu key={path} session={session} path={path} />;
}

function Menu({ session, path }: { session: Session; path: string }) {
  const [open, setOpen] = useState(false);
  const { own } = useGroups();
  const frame = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const name = session.user?.name ?? 'Operator';

  useEffect(() => {
    if (!open) return;
    const onElsewhere = (event: Event) => {
      if (event.target instanceof Node && !frame.current?.contains(event.target)) setOpen(false);
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener('pointerdown', onElsewhere);
    document.addEventListener('focusin', onElsewhere);
    document.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('pointerdown', onElsewhere);
      document.removeEventListener('focusin', onElsewhere);
      document.removeEventListener('keydown', onKey);
    };
  }, [open]);

  return (
    <div ref={frame} className={styles.frame}>
      <button
        ref={button}
        type="button"
        className={styles.button}
        aria-expanded={open}
        aria-controls={id}
        aria-label={`Account: ${name}`}
        title={name}
        onClick={() => {
          setOpen(!open);
        }}
      >
        <span className={styles.badge} data-operator={session.operator} aria-hidden="true">
          {session.user ? initial(name) : <UserRound size={16} />}
        </span>
      </button>
      <div id={id} className={styles.menu} hidden={!open}>
        <div className={styles.who}>
          <p className={styles.name} dir="auto">
            {name}
          </p>
          <Who session={session} />
        </div>
        {own.map((group) => (
          <nav key={group.name} aria-label={group.name}>
            {own.length > 1 && <h2>{group.name}</h2>}
            <ul>
              {group.areas.map((area) => (
                <li key={area.to}>
                  <Link to={area.to} activeOptions={{ exact: area.exact ?? false }}>
                    <area.icon size={16} aria-hidden="true" />
                    {area.label}
                  </Link>
                </li>
              ))}
            </ul>
          </nav>
        ))}
        <div className={styles.end}>
          {session.signed_in ? (
            <SignOut />
          ) : (
            <>
              <SignInLink path={path}>
                <CircleUser size={16} aria-hidden="true" />
                Sign in with an account
              </SignInLink>
              <ForgetToken />
            </>
          )}
        </div>
      </div>
    </div>
  );
}

function Who({ session }: { session: Session }) {
  if (session.user) {
    return <Pill tone={roleTone(session.user.role)}>{roleWord(session.user.role)}</Pill>;
  }
  return (
    <p className={styles.note}>
      {session.local
        ? 'You are at this machine, where no access token is set.'
        : 'This tab has the access token.'}
    </p>
  );
}

function SignInLink(props: { path: string; className?: string | undefined; children: ReactNode }) {
  return (
    <Link
      to="/sign-in"
      search={props.path === '/sign-in' ? true : { return_to: props.path }}
      className={props.className}
    >
      {props.children}
    </Link>
  );
}

/** The way out. */
function SignOut() {
  const order = useMutation({ mutationFn: leave });
  return (
    <>
      <Button
        small
        disabled={order.isPending || order.isSuccess}
        onClick={() => {
          order.mutate();
        }}
      >
        <LogOut size={15} aria-hidden="true" />
        Sign out
      </Button>
      {order.isError && (
        <p className={styles.failed} role="alert">
          {errorText(order.error)}
        </p>
      )}
    </>
  );
}

function ForgetToken() {
  const client = useQueryClient();
  const known = useSyncExternalStore(subscribeToAccess, token) !== '';
  if (!known) return null;
  return (
    <Button
      small
      onClick={() => {
        forgetToken();
        void client.resetQueries();
      }}
    >
      Forget the access token
    </Button>
  );
}

/** The first letter of a name, of whatever script. */
function initial(name: string): string {
  const letter = /\p{L}|\p{N}/u.exec(name)?.[0];
  return (letter ?? '?').toUpperCase();
}
