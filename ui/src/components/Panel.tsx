import { useId, useState, type ReactNode } from 'react';
import { PanelTools } from './panelTools';
import styles from './Panel.module.css';

interface PanelProps {
  title: string;
  /** Beside the title: a count, a switch. */
  aside?: ReactNode;
  /** Anchor for links to this panel. */
  id?: string;
  /** No padding around the content, for tables that reach the edges. */
  flush?: boolean;
  children: ReactNode;
}

/** A titled part of a page. */
export function Panel({ title, aside, id, flush = false, children }: PanelProps) {
  const heading = useId();
  const [tools, setTools] = useState<HTMLElement | null>(null);
  return (
    <section className={styles.panel} id={id} aria-labelledby={heading}>
      <header className={styles.head}>
        <h2 id={heading}>{title}</h2>
        {aside}
        <span ref={setTools} className={styles.tools} />
      </header>
      <div className={flush ? styles.flush : styles.body}>
        <PanelTools value={tools}>{children}</PanelTools>
      </div>
    </section>
  );
}
