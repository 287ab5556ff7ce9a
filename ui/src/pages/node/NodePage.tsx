import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useView } from '../../api/LiveProvider';
import { nodePageQuery, type NodePage as View } from '../../api/pages';
import { CopyButton } from '../../components/CopyButton';
import { Facts } from '../../components/Facts';
import { Figure, Figures } from '../../components/Figures';
import { Failure } from '../../components/Message';
import { Meter } from '../../components/Meter';
import { Panel } from '../../components/Panel';
import { Pill } from '../../components/Pill';
import { StaleNote } from '../../components/StaleNote';
import { formatBytes, formatCount, formatLatency, NONE, shortHash } from '../../lib/format';
import { networkName } from '../../lib/stratum';
import { Page } from '../scope/Page';
import styles from './NodePage.module.css';
import { NodesPanel } from './NodesPanel';
import { PeersPanel } from './PeersPanel';
import { nodeState } from './words';

/** The Bitcoin nodes: which one works, how far it is, and whom it is connected to. */
export function NodePage() {
  const { data: page, error, dataUpdatedAt } = useQuery(nodePageQuery);
  return (
    <Page title="Bitcoin node">
      <StaleNote error={error} updatedAt={dataUpdatedAt} />
      <Headline page={page} />
      <div className={styles.stack}>
        <NodesPanel />
        <div className={styles.columns}>
          <ChainPanel page={page} error={error} />
          <PeersPanel page={page} error={error} />
        </div>
      </div>
    </Page>
  );
}

function Headline({ page }: { page: View | undefined }) {
  const { data: status } = useView('status');
  // What /api/node is about: the active node, else the most preferred one.
  const node = status && (status.nodes.find((n) => n.active) ?? status.nodes[0]);
  const behind = page ? Math.max(page.node_headers - page.node_blocks, 0) : 0;
  const state = node && nodeState(node.state);
  return (
    <Figures label="Figures of the node">
      <Figure
        label={status && status.nodes.length > 1 && node ? node.name : 'Node'}
        value={status && (state?.text ?? 'None')}
        note={node ? state?.meaning : 'none is configured'}
        hero
      />
      <Figure
        label="Network"
        value={page && (networkName(page.node_network ?? '') || NONE)}
        note={page && (page.genesis_match ? 'genesis checked' : genesisNote(page))}
      />
      <Figure
        label="Block"
        value={page && (page.node_blocks > 0 ? formatCount(page.node_blocks) : NONE)}
        note={
          behind > 0 ? `${formatCount(behind)} behind its headers` : 'with all that it knows of'
        }
      />
      <Figure
        label="Connections"
        value={page && formatCount(page.node_connections)}
        note={
          page &&
          `${formatCount(page.node_connections_in)} in, ${formatCount(page.node_connections_out)} out`
        }
      />
      <Figure
        label="Answers in"
        value={status && formatLatency(node?.latency_ms)}
        note="its last answer to the pool"
      />
      <Figure
        label="New blocks"
        value={status && (node?.state === 'ready' ? (node.zmq ? 'ZMQ' : 'Polled') : NONE)}
        note={node?.zmq === true ? 'announced at once' : 'asked for again and again'}
      />
    </Figures>
  );
}

function genesisNote(page: View): string {
  return page.genesis_hash === undefined ? 'not known yet' : 'with another genesis block';
}

function ChainPanel({ page, error }: { page: View | undefined; error: unknown }) {
  let content: ReactNode;
  if (!page && error !== null) content = <Failure error={error} />;
  else {
    content = (
      <Facts
        items={[
          ['Network', page && (networkName(page.node_network ?? '') || NONE)],
          ['Version', page && (page.node_subversion?.replaceAll('/', '') ?? NONE)],
          ['Blocks', page && formatCount(page.node_blocks)],
          ['Headers', page && formatCount(page.node_headers)],
          ['Initial download', page && <Download page={page} />],
          [
            'Size on disk',
            page &&
              (page.node_size_on_disk_bytes > 0 ? formatBytes(page.node_size_on_disk_bytes) : NONE),
          ],
          [
            'Pruned',
            page &&
              (page.node_pruned
                ? 'yes: old blocks are deleted, which mining can do without'
                : 'no'),
          ],
          ['Best block', page && <Hash hash={page.best_block_hash} what="the best block" />],
          ['Genesis block', page && <Hash hash={page.genesis_hash} what="the genesis block" />],
          ['Genesis check', page && <Genesis page={page} />],
        ]}
      />
    );
  }
  return <Panel title="Its chain">{content}</Panel>;
}

/** How far the first download of the chain is. */
function Download({ page }: { page: View }) {
  if (!page.node_initial_block_download) return <>done</>;
  const part = page.node_headers > 0 ? page.node_blocks / page.node_headers : 0;
  return <Meter part={part} />;
}

function Hash({ hash, what }: { hash: string | undefined; what: string }) {
  if (hash === undefined) return <>{NONE}</>;
  return (
    <span className={styles.hash}>
      <code title={hash}>{shortHash(hash)}</code>
      <CopyButton text={hash} label={`Copy the hash of ${what}`} />
    </span>
  );
}

/** Whether the node's chain begins as its network's does. */
function Genesis({ page }: { page: View }) {
  if (page.genesis_hash === undefined) return <Pill>Not checked yet</Pill>;
  if (page.genesis_match) return <Pill tone="good">As it should be</Pill>;
  return (
    <Pill tone="bad">
      {page.genesis_expected === undefined
        ? 'Not the one of this network'
        : `Should be ${shortHash(page.genesis_expected)}`}
    </Pill>
  );
}
