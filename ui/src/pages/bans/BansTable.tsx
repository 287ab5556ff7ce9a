import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { bansQuery, lift, type Ban } from '../../api/bans';
import { Button } from '../../components/Button';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { DataTable, type Column } from '../../components/DataTable';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Pill } from '../../components/Pill';
import { PlainText } from '../../components/PlainText';
import { Time } from '../../components/Time';
import { formatCount, NONE, plural, sentence } from '../../lib/format';
import styles from './BansPage.module.css';

type Key = 'address' | 'reason' | 'by' | 'level' | 'since' | 'until' | 'lift';

function columns(onLift: (ban: Ban) => void): Column<Ban, Key>[] {
  return [
    {
      key: 'address',
      header: 'Address',
      card: 'title',
      value: (b) => b.address,
      cell: (b) => <code>{b.address}</code>,
    },
    {
      key: 'reason',
      header: 'Reason',
      card: 'detail',
      value: (b) => b.reason,
      cell: (b) => (
        <span className={styles.reason}>
          {b.reason === '' ? 'none given' : <PlainText text={b.reason} />}
        </span>
      ),
    },
    {
      key: 'by',
      header: 'By',
      card: 'detail',
      value: (b) => (b.manual ? 'hand' : 'the pool'),
      cell: (b) => (b.manual ? <Pill>By hand</Pill> : 'the pool'),
    },
    {
      key: 'level',
      header: 'Ban no.',
      card: 'detail',
      numeric: true,
      value: (b) => b.level,
      cell: (b) => (
        <span title="Each further ban of an address by the pool lasts twice as long">
          {b.level > 0 ? `${formatCount(b.level)}.` : NONE}
        </span>
      ),
    },
    {
      key: 'since',
      header: 'Since',
      card: 'detail',
      numeric: true,
      value: (b) => Date.parse(b.since),
      raw: (b) => b.since,
      cell: (b) => <Time at={b.since} />,
    },
    {
      key: 'until',
      header: 'Until',
      card: 'detail',
      numeric: true,
      value: (b) => (b.until === undefined ? Infinity : Date.parse(b.until)),
      raw: (b) => b.until,
      cell: (b) => (b.until === undefined ? 'it is lifted' : <Time at={b.until} />),
    },
    {
      key: 'lift',
      header: '',
      card: 'lead',
      numeric: true,
      raw: false,
      cell: (b) => (
        <Button
          small
          aria-label={`Lift the ban of ${b.address}`}
          onClick={() => {
            onLift(b);
          }}
        >
          Lift
        </Button>
      ),
    },
  ];
}

/** The bans in force, as the operator sees them. */
export function BansTable({ bans, error }: { bans: Ban[] | undefined; error: unknown }) {
  const client = useQueryClient();
  const [chosen, setChosen] = useState<Ban>();
  const lifting = useMutation({
    mutationFn: lift,
    onSuccess: () => {
      setChosen(undefined);
      // The button that was pressed goes with its row, and the focus would go with it.
      requestAnimationFrame(() => {
        document.getElementById('main')?.focus({ preventScroll: true });
      });
      return client.invalidateQueries({ queryKey: bansQuery.queryKey });
    },
  });
  return (
    <Panel
      title="Bans in force"
      flush
      aside={
        bans && bans.length > 0 ? (
          <span className={styles.aside}>{plural(bans.length, 'address', 'addresses')}</span>
        ) : undefined
      }
    >
      {bans?.length === 0 ? (
        <Empty title="Nobody is banned">
          The pool bans addresses by itself for a while, when what comes from there is wrong again
          and again.
        </Empty>
      ) : !bans && error !== null ? (
        <Failure error={error} />
      ) : (
        <DataTable
          caption="Banned addresses and networks"
          columns={columns((b) => {
            lifting.reset();
            setChosen(b);
          })}
          rows={bans}
          rowKey={(b) => b.address}
          initialSort={{ key: 'until', descending: true }}
        />
      )}
      {chosen && (
        <ConfirmDialog
          title={`Lift the ban of ${chosen.address}?`}
          action="Lift the ban"
          busy={lifting.isPending}
          error={lifting.error}
          onConfirm={() => {
            lifting.mutate(chosen.address);
          }}
          onClose={() => {
            setChosen(undefined);
          }}
        >
          <p>
            Miners from there may connect again at once, and what led to the ban is forgotten.
            {chosen.reason !== '' && (
              <>
                {' '}
                It was: <PlainText text={sentence(chosen.reason)} />
              </>
            )}
          </p>
        </ConfirmDialog>
      )}
      <p className="visually-hidden" role="status">
        {lifting.isSuccess && `The ban of ${lifting.variables} is lifted.`}
      </p>
    </Panel>
  );
}
