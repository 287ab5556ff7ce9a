import { useEffect } from 'react';
import { useView } from '../../api/LiveProvider';
import { formatHashrate } from '../../lib/format';
import { BlockNews } from '../blocks/BlockNews';
import { BestSharesPanel } from './BestSharesPanel';
import { BlocksPanel } from './BlocksPanel';
import { ConnectPanel } from './ConnectPanel';
import { Headline } from './Headline';
import { HashratePanel } from './HashratePanel';
import { MinersPanel } from './MinersPanel';
import { NodePanel } from './NodePanel';
import styles from './OverviewPage.module.css';
import { RejectsPanel } from './RejectsPanel';
import { StateNotice } from './StateNotice';
import { TemplatePanel } from './TemplatePanel';
import { TypesPanel } from './TypesPanel';

/** The first page: is it mining, how fast, and on what. */
export function OverviewPage() {
  const { data: hashrate } = useView('hashrate');

  useEffect(() => {
    document.title = hashrate
      ? `${formatHashrate(hashrate.pool_hashrate)} · poolscope`
      : 'poolscope';
  }, [hashrate]);

  return (
    <>
      <h1 className="visually-hidden">Overview of the pool</h1>
      <StateNotice />
      <Headline />
      <div className={styles.columns}>
        <div className={styles.column}>
          <HashratePanel />
          <MinersPanel />
          <BlocksPanel />
          <TypesPanel />
          <RejectsPanel />
        </div>
        <div className={styles.column}>
          <TemplatePanel />
          <ConnectPanel />
          <NodePanel />
          <BestSharesPanel />
        </div>
      </div>
      <BlockNews />
    </>
  );
}
