import { Link, Outlet } from '@tanstack/react-router';
import { Plug } from 'lucide-react';
import { useView } from '../api/LiveProvider';
import { Pill } from '../components/Pill';
import { Time } from '../components/Time';
import { networkName } from '../lib/stratum';
import { hasPool } from '../lib/pool';
import { AccountMenu } from './AccountMenu';
import { ClerkKeeper } from './ClerkKeeper';
import { Commands } from './Commands';
import { ConnectionStrip, LiveBadge } from './Connection';
import { Logo } from './Logo';
import { NavigationBar, NavigationDrawer } from './Navigation';
import { ProgressBar } from './ProgressBar';
import { Proof } from './Proof';
import { SessionWatch } from './SessionWatch';
import styles from './Shell.module.css';
import { ThemeSwitch } from './ThemeSwitch';
import { TokenDialog } from './TokenDialog';

/** What every page has around it. */
export function Shell() {
  const { data: status } = useView('status');
  const pool = !status || hasPool(status);
  return (
    <>
      <a href="#main" className={styles.skip}>
        Skip to the content
      </a>
      <header className={styles.bar}>
        <ProgressBar />
        <div className={styles.inner}>
          <NavigationDrawer />
          <Link to="/" className={styles.brand} aria-label="poolscope, start">
            <Logo />
            <span className={styles.word}>poolscope</span>
          </Link>
          {pool && status && <Network name={networkName(status.network) || 'no network yet'} />}
          <NavigationBar />
          <div className={styles.tools}>
            {pool && (
              <Link to="/" hash="connect" className={styles.connect}>
                <Plug size={15} aria-hidden="true" />
                <span>Connect a miner</span>
              </Link>
            )}
            <Commands />
            <LiveBadge />
            <ThemeSwitch />
            <AccountMenu />
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
        {pool && <a href="/api/overview">JSON</a>}
        <a href="/docs">API</a>
        <a href="/metrics">Metrics</a>
      </footer>
      <ConnectionStrip />
      <Proof />
      <ClerkKeeper />
      <SessionWatch />
      <TokenDialog />
    </>
  );
}

/** What the pool mines on. Where the buttons leave no room it is cut short, and at last left out. */
function Network({ name }: { name: string }) {
  return (
    <span className={styles.network} title={name}>
      <Pill>{name}</Pill>
    </span>
  );
}
