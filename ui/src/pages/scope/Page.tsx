import { useEffect, type ReactNode } from 'react';
import styles from './Page.module.css';

/** A page with a heading of its own: what stands beside it, and the window's title. */
export function Page(props: { title: string; aside?: ReactNode; children: ReactNode }) {
  const { title } = props;
  useEffect(() => {
    document.title = `${title} · poolscope`;
  }, [title]);
  return (
    <>
      <header className={styles.head}>
        <h1>{title}</h1>
        {props.aside !== undefined && <div className={styles.aside}>{props.aside}</div>}
      </header>
      {props.children}
    </>
  );
}
