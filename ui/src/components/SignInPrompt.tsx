import { Link, useRouterState } from '@tanstack/react-router';
import { CircleUser } from 'lucide-react';
import type { ReactNode } from 'react';
import styles from './SignInPrompt.module.css';

/** In place of a page that is somebody's own: what one would have of it, and the way in. */
export function SignInPrompt({ title, children }: { title: string; children: ReactNode }) {
  const href = useRouterState({ select: (s) => s.location.href });
  return (
    <section className={styles.prompt}>
      <CircleUser size={30} aria-hidden="true" />
      <h2>{title}</h2>
      <div className={styles.text}>{children}</div>
      <Link to="/sign-in" search={{ return_to: href }} className={styles.button}>
        Sign in
      </Link>
    </section>
  );
}
