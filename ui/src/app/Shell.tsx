import { Link, Outlet } from '@tanstack/react-router';
import { Plug } from 'lucide-react';
import { useView } from '../api/LiveProvider';
import { Pill } from '../components/Pill';
import { Time } from '../components/Time';
import { networkName } from '../lib/stratum';
import { ConnectionStrip, LiveBadge } from './Connection';
import { Logo } from './Logo';
import styles from './Shell.module.css';
import { ThemeSwitch } from './ThemeSwitch';

/** What every page has around it. */
export function Shell() {
  const { data: status } = useView('status');
  return (
    <>
      <a href="#main" className={styles.skip}>
        Skip to the content
      </a>
      <header className={styles.bar}>
        <div className={styles.inner}>
          <Link to="/" className={styles.brand} aria-label="poolscope, overview">
            <Logo />
            <span className={styles.word}>poolscope</span>
          </Link>
          {status && <Pill>{networkName(status.network) || 'no network yet'}</Pill>}
          <nav className={styles.nav} aria-label="Pages">
            <Link to="/">Overview</Link>
          </nav>
          <div className={styles.tools}>
            <a href="#connect" className={styles.connect}>
              <Plug size={15} aria-hidden="true" />
              <span>Connect a miner</span>
            </a>
            <LiveBadge />
            <ThemeSwitch />
          </div>
        </div>
      </header>
      <main id="main" className={styles.main} tabIndex={-1}>
        <Outlet />
      </main>
      <footer className={styles.foot}>
        {status && (
          <>
            <span>poolscope {status.version}</span>
            <span>
              up since <Time at={status.started_at} />
            </span>
          </>
        )}
        <a href="/api/overview">JSON</a>
        <a href="/metrics">Metrics</a>
      </footer>
      <ConnectionStrip />
    </>
  );
}
