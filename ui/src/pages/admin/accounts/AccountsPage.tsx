import { useQuery } from '@tanstack/react-query';
import { UserPlus } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useSession } from '../../../api/session';
import { Button } from '../../../components/Button';
import { DataTable, type Column } from '../../../components/DataTable';
import { Empty, Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Pill } from '../../../components/Pill';
import { PlainText } from '../../../components/PlainText';
import { StaleNote } from '../../../components/StaleNote';
import { Time } from '../../../components/Time';
import { formatCount, NONE, parseTime } from '../../../lib/format';
import { AdminPage } from '../AdminPage';
import styles from './AccountsPage.module.css';
import { AddAccountDialog } from './AddAccountDialog';
import { accountsQuery, type Account } from './api';
import { ManageDialog } from './ManageDialog';
import { OncePasswordDialog } from './OncePasswordDialog';
import { providerName } from './words';

/** Who has an account, and what they may do. */
export function AccountsPage() {
  const { data, error, dataUpdatedAt } = useQuery(accountsQuery);
  const session = useSession();
  const [adding, setAdding] = useState(false);
  const [managed, setManaged] = useState<string>();
  const [made, setMade] = useState<{ name: string; password: string }>();
  const [outcome, setOutcome] = useState('');
  const account = data?.accounts.find((a) => a.id === managed);
  const own = session?.user?.id;
  const columns = useMemo(() => accountColumns(own, setManaged), [own]);

  return (
    <AdminPage
      title="Accounts"
      aside={
        <Button
          tone="primary"
          onClick={() => {
            setOutcome('');
            setAdding(true);
          }}
        >
          <UserPlus size={15} aria-hidden="true" />
          Add an account
        </Button>
      }
    >
      <StaleNote error={data ? error : null} updatedAt={dataUpdatedAt} />
      <p className={styles.outcome} role="status">
        {outcome}
      </p>
      <Panel title="Accounts" flush>
        {data?.accounts.length === 0 ? (
          <Empty title="Nobody has an account">
            Without one, only this machine and the access token get in.
          </Empty>
        ) : !data && error ? (
          <Failure error={error} />
        ) : (
          <DataTable
            caption="Accounts"
            columns={columns}
            rows={data?.accounts}
            rowKey={(a) => a.id}
            initialSort={{ key: 'name', descending: false }}
          />
        )}
      </Panel>
      {adding && (
        <AddAccountDialog
          onDone={(name, password) => {
            setAdding(false);
            setMade({ name, password });
          }}
          onClose={() => {
            setAdding(false);
          }}
        />
      )}
      {account && (
        <ManageDialog
          account={account}
          own={account.id === own}
          onPassword={(password) => {
            setManaged(undefined);
            setMade({ name: account.name, password });
          }}
          onDeleted={() => {
            setManaged(undefined);
            setOutcome(`The account ${account.name} is deleted.`);
          }}
          onClose={() => {
            setManaged(undefined);
          }}
        />
      )}
      {made && (
        <OncePasswordDialog
          name={made.name}
          password={made.password}
          onClose={() => {
            setMade(undefined);
          }}
        />
      )}
    </AdminPage>
  );
}

function accountColumns(
  own: string | undefined,
  onManage: (id: string) => void,
): Column<Account>[] {
  return [
    {
      key: 'name',
      header: 'Name',
      card: 'title',
      value: (a) => a.name,
      cell: (a) => (
        <span className={styles.name}>
          <PlainText text={a.name} />
          {a.id === own && <Pill>you</Pill>}
          {a.disabled && <Pill tone="bad">disabled</Pill>}
        </span>
      ),
    },
    {
      key: 'role',
      header: 'Role',
      card: 'detail',
      value: (a) => a.role,
      cell: (a) =>
        a.role === 'operator' ? <Pill tone="good">operator</Pill> : <span>{a.role}</span>,
    },
    {
      key: 'provider',
      header: 'Signs in with',
      card: 'detail',
      value: (a) => a.provider,
      cell: (a) => providerName(a.provider),
    },
    {
      key: 'email',
      header: 'E-mail',
      card: 'detail',
      value: (a) => a.email ?? '',
      cell: (a) => (a.email === undefined ? NONE : <PlainText text={a.email} />),
    },
    {
      key: 'sessions',
      header: 'Sessions',
      card: 'detail',
      numeric: true,
      value: (a) => a.sessions,
      cell: (a) => formatCount(a.sessions),
    },
    {
      key: 'saved',
      header: 'Saved workers',
      card: 'detail',
      numeric: true,
      value: (a) => a.saved_workers,
      cell: (a) => formatCount(a.saved_workers),
    },
    {
      key: 'seen',
      header: 'Last seen',
      card: 'detail',
      numeric: true,
      value: (a) => parseTime(a.last_seen) ?? 0,
      raw: (a) => a.last_seen,
      cell: (a) => <Time at={a.last_seen} ago />,
    },
    {
      key: 'created',
      header: 'Since',
      card: 'detail',
      numeric: true,
      value: (a) => parseTime(a.created_at) ?? 0,
      raw: (a) => a.created_at,
      cell: (a) => <Time at={a.created_at} />,
    },
    {
      key: 'manage',
      header: '',
      card: 'lead',
      numeric: true,
      raw: false,
      cell: (a) => (
        <Button
          small
          aria-label={`Manage ${a.name}`}
          onClick={() => {
            onManage(a.id);
          }}
        >
          Manage
        </Button>
      ),
    },
  ];
}
