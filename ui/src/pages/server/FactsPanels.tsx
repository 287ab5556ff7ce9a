import type { ReactNode } from 'react';
import type { PoolPage, ServerPage } from '../../api/pages';
import { CopyButton } from '../../components/CopyButton';
import { Facts } from '../../components/Facts';
import { Failure } from '../../components/Message';
import { Meter } from '../../components/Meter';
import { Panel } from '../../components/Panel';
import { Pill } from '../../components/Pill';
import { Time } from '../../components/Time';
import {
  formatBytes,
  formatCount,
  formatDifficulty,
  formatLatency,
  NONE,
  plural,
  shortHash,
} from '../../lib/format';
import styles from './ServerPage.module.css';

interface FactsPanelProps {
  server: ServerPage | undefined;
  error: unknown;
}

type Items = readonly (readonly [string, ReactNode | undefined])[];

function FactsPanel(props: { title: string; known: boolean; error: unknown; items: Items }) {
  const { title, known, error, items } = props;
  return (
    <Panel title={title}>
      {!known && error !== null ? <Failure error={error} /> : <Facts items={items} />}
    </Panel>
  );
}

/** Bytes where they are known; systems that do not tell say 0. */
const bytes = (n: number) => (n > 0 ? formatBytes(n) : NONE);

export function MachinePanel({ server: s, error }: FactsPanelProps) {
  const used =
    s && s.system_mem_total_bytes > 0 && s.system_mem_used_bytes / s.system_mem_total_bytes;
  return (
    <FactsPanel
      title="Process and machine"
      known={s !== undefined}
      error={error}
      items={[
        ['Resident memory', s && bytes(s.process_rss_bytes)],
        ['Go heap in use', s && bytes(s.go_mem_alloc_bytes)],
        ['Taken by Go from the system', s && bytes(s.go_mem_sys_bytes)],
        ['Goroutines', s && formatCount(s.process_goroutines)],
        ['Memory of the machine', s && bytes(s.system_mem_total_bytes)],
        [
          'Of which in use',
          s && (used === false || used === undefined ? NONE : <Meter part={used} />),
        ],
        ['Free for programs', s && bytes(s.system_mem_free_bytes)],
        [
          'Load in 1, 5, 15 min',
          s &&
            [s.system_load1, s.system_load5, s.system_load15]
              .map((load) => formatDifficulty(load))
              .join(' · '),
        ],
      ]}
    />
  );
}

/** Where work comes from, and the tip of the chain that it stands on. */
export function FeedPanel({ server, error }: FactsPanelProps) {
  const feed = server?.job_feed;
  return (
    <FactsPanel
      title="Job feed"
      known={server !== undefined}
      error={error}
      items={[
        [
          'ZMQ',
          feed &&
            (feed.zmq_healthy ? <Pill tone="good">Connected</Pill> : <Pill>Not connected</Pill>),
        ],
        ['ZMQ lost and back', feed && lostAndBack(feed.zmq_disconnects, feed.zmq_reconnects)],
        [
          'Last raw block',
          feed &&
            (feed.last_raw_block_at === undefined ? (
              'none yet'
            ) : (
              <>
                <Time at={feed.last_raw_block_at} ago />
                {feed.last_raw_block_bytes !== undefined &&
                  `, ${formatBytes(feed.last_raw_block_bytes)}`}
              </>
            )),
        ],
        [
          'Tip of the chain',
          feed && (feed.block_height === undefined ? NONE : `#${formatCount(feed.block_height)}`),
        ],
        ['Its time', feed && <Time at={feed.block_time} />],
        [
          'Its hash',
          feed &&
            (feed.block_hash === undefined ? (
              NONE
            ) : (
              <span className={styles.copied}>
                <code title={feed.block_hash}>{shortHash(feed.block_hash)}</code>
                <CopyButton text={feed.block_hash} label="Copy the hash of the tip" />
              </span>
            )),
        ],
        ['Its target (bits)', feed && (feed.block_bits ? <code>{feed.block_bits}</code> : NONE)],
        ['Its difficulty', feed && formatDifficulty(feed.block_difficulty)],
      ]}
    />
  );
}

/** How fast the node answers, and how often it did not. */
export function RPCPanel(props: FactsPanelProps & { pool: PoolPage | undefined }) {
  const { server, pool, error } = props;
  const ms = (seconds: number) => formatLatency(seconds * 1000);
  return (
    <FactsPanel
      title="Calls to the node"
      known={server !== undefined && pool !== undefined}
      error={error}
      items={[
        [
          'Node',
          server &&
            (server.rpc_healthy ? (
              <Pill tone="good">Answers</Pill>
            ) : (
              <Pill tone="bad">Does not answer</Pill>
            )),
        ],
        ['Lost and back', server && lostAndBack(server.rpc_disconnects, server.rpc_reconnects)],
        ['Failed calls', pool && formatCount(pool.rpc_errors)],
        [
          'Template, last',
          pool && `${ms(pool.rpc_gbt_last_sec)} of ${plural(pool.rpc_gbt_count, 'call')}`,
        ],
        [
          'Template, last hour',
          pool && (
            <span title="fastest, mean and slowest">
              {[pool.rpc_gbt_min_1h_sec, pool.rpc_gbt_avg_1h_sec, pool.rpc_gbt_max_1h_sec]
                .map(ms)
                .join(' · ')}
            </span>
          ),
        ],
        ['Template, slowest ever', pool && ms(pool.rpc_gbt_max_sec)],
        [
          'Block handed in, last',
          pool &&
            (pool.rpc_submit_count > 0
              ? `${ms(pool.rpc_submit_last_sec)} of ${plural(pool.rpc_submit_count, 'call')}`
              : 'none yet'),
        ],
        ['Block handed in, slowest', pool && ms(pool.rpc_submit_max_sec)],
      ]}
    />
  );
}

function lostAndBack(lost: number, back: number): string {
  if (lost === 0) return 'never lost';
  return `${plural(lost, 'time')} lost, ${formatCount(back)} back`;
}
