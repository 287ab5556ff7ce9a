import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from '../../../components/Button';
import { DataTable, type Column } from '../../../components/DataTable';
import { Empty, Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Pill } from '../../../components/Pill';
import { Skeleton } from '../../../components/Skeleton';
import {
  formatBTC,
  formatCount,
  formatDifficulty,
  formatPreciseClock,
  formatSkew,
  formatUTC,
  plural,
} from '../../../lib/format';
import { decodedQuery, jobsQuery } from '../../../scope/queries';
import type { Job } from '../../../scope/types';
import { JobView } from '../job/JobView';
import styles from './SessionPage.module.css';
import { ShowMore } from './ShowMore';

const STEP = 15;
const MOST = 1000;

/** Every job; one of them can be taken apart. */
export function JobsPanel({ id, live }: { id: string; live: boolean }) {
  const [most, setMost] = useState(STEP);
  const [open, setOpen] = useState<string>();
  const { data: page, error } = useQuery(jobsQuery(id, live, most));
  return (
    <Panel title="Jobs" flush>
      {page?.items?.length === 0 ? (
        <Empty title="No job yet" />
      ) : !page && error ? (
        <Failure error={error} />
      ) : (
        <>
          {open !== undefined && <OpenJob message={open} />}
          <DataTable
            caption="Jobs, newest first"
            columns={columns(open, setOpen)}
            rows={page?.items ?? undefined}
            rowKey={(j) => j.message_id}
            initialSort={{ key: 'at', descending: true }}
          />
          {page && page.next > 0 && <ShowMore most={most} limit={MOST} onMore={setMost} />}
        </>
      )}
    </Panel>
  );
}

/** The job that is taken apart. */
function OpenJob({ message }: { message: string }) {
  const { data, error } = useQuery(decodedQuery(message));
  return (
    <div className={styles.job} data-testid="job">
      {data?.decoded.job ? (
        <JobView job={data.decoded.job} />
      ) : error ? (
        <Failure error={error} />
      ) : data ? (
        <p>{data.decoded.summary}</p>
      ) : (
        <Skeleton width="50%" />
      )}
    </div>
  );
}

function columns(
  open: string | undefined,
  setOpen: (id: string | undefined) => void,
): Column<Job>[] {
  return [
    {
      key: 'at',
      header: 'Received',
      card: 'title',
      value: (j) => j.n,
      raw: (j) => j.received_at,
      cell: (j) => (
        <span title={formatUTC(Date.parse(j.received_at))}>
          {formatPreciseClock(Date.parse(j.received_at))}
        </span>
      ),
    },
    {
      key: 'height',
      header: 'Block',
      card: 'lead',
      numeric: true,
      value: (j) => j.height,
      raw: (j) => (j.height < 0 ? undefined : j.height),
      cell: (j) => (j.height < 0 ? '?' : formatCount(j.height)),
    },
    {
      key: 'kind',
      header: 'Kind',
      card: 'detail',
      raw: (j) =>
        [j.new_tip && 'new tip', j.clean_jobs && 'clean', j.empty && 'empty']
          .filter(Boolean)
          .join(', '),
      cell: (j) => (
        <span className={styles.outcomes}>
          {j.new_tip && <Pill tone="good">New tip</Pill>}
          {j.clean_jobs && <Pill>Clean</Pill>}
          {j.empty && <Pill tone="warn">Empty</Pill>}
        </span>
      ),
    },
    {
      key: 'tag',
      header: 'Pool tag',
      card: 'detail',
      value: (j) => j.pool_tag,
      cell: (j) => j.pool_tag,
    },
    {
      key: 'value',
      header: 'Coinbase',
      card: 'detail',
      numeric: true,
      value: (j) => j.coinbase_value_sat,
      unit: 'sats',
      cell: (j) => formatBTC(j.coinbase_value_sat),
    },
    {
      key: 'branches',
      header: 'Branches',
      card: 'detail',
      numeric: true,
      value: (j) => j.merkle_branches,
      cell: (j) => formatCount(j.merkle_branches),
    },
    {
      key: 'network',
      header: 'Network difficulty',
      card: 'detail',
      numeric: true,
      value: (j) => j.network_difficulty,
      cell: (j) => <span title={`nBits ${j.nbits}`}>{formatDifficulty(j.network_difficulty)}</span>,
    },
    {
      key: 'skew',
      header: 'nTime skew',
      card: 'detail',
      numeric: true,
      value: (j) => j.ntime_skew_s,
      unit: 's',
      cell: (j) => formatSkew(j.ntime_skew_s),
    },
    {
      key: 'shares',
      header: 'Shares',
      card: 'detail',
      numeric: true,
      value: (j) => j.shares.submitted,
      cell: (j) => (
        <span title={plural(j.shares.rejected, 'rejected share')}>
          {formatCount(j.shares.submitted)}
        </span>
      ),
    },
    {
      key: 'open',
      header: 'Contents',
      card: 'detail',
      raw: (j) => j.job_id,
      cell: (j) => (
        <Button
          small
          aria-pressed={open === j.message_id}
          aria-label={`Contents of job ${j.job_id}`}
          onClick={() => {
            setOpen(open === j.message_id ? undefined : j.message_id);
          }}
        >
          <code>{j.job_id}</code>
        </Button>
      ),
    },
  ];
}
