import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import {
  alertsQuery,
  changeRule,
  deleteRule,
  type AlertChannel,
  type AlertRule,
  type Alerts,
} from '../../api/alerts';
import { refusalText } from '../../api/client';
import type { Session } from '../../api/session';
import { Button } from '../../components/Button';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { Empty } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Pill } from '../../components/Pill';
import { Skeleton } from '../../components/Skeleton';
import { Switch } from '../../components/Switch';
import styles from './AlertsPage.module.css';
import { RuleDialog } from './RuleDialog';
import { eventWord, scopeWord, thresholdWords } from './words';

/** What is worth a message. */
export function RulesPanel(props: { alerts: Alerts | undefined; session: Session | undefined }) {
  const { alerts, session } = props;
  const [open, setOpen] = useState<{ dialog: 'add' } | { dialog: 'edit' | 'delete'; id: string }>();
  const close = () => {
    setOpen(undefined);
  };
  const rule = open && 'id' in open ? alerts?.rules.find((r) => r.id === open.id) : undefined;
  return (
    <Panel
      title="Rules"
      aside={
        <Button
          small
          disabled={!alerts || alerts.channels.length === 0}
          title={alerts?.channels.length === 0 ? 'Add a channel first' : undefined}
          onClick={() => {
            setOpen({ dialog: 'add' });
          }}
        >
          <Plus size={15} aria-hidden="true" />
          Add a rule
        </Button>
      }
    >
      {!alerts ? (
        <Skeleton width="30ch" />
      ) : alerts.rules.length === 0 ? (
        <Empty title="No rule yet">
          <p>
            {alerts.channels.length === 0
              ? 'A rule says what you are told about, and by which channel. Add a channel first.'
              : 'A rule says what you are told about, and by which channel: a worker that stops, a block, too many rejects.'}
          </p>
        </Empty>
      ) : (
        <ul className={styles.list}>
          {alerts.rules.map((r) => (
            <Rule
              key={r.id}
              rule={r}
              alerts={alerts}
              onOpen={(dialog) => {
                setOpen({ dialog, id: r.id });
              }}
            />
          ))}
        </ul>
      )}
      {alerts && session && open?.dialog === 'add' && (
        <RuleDialog alerts={alerts} session={session} onClose={close} />
      )}
      {alerts && session && rule && open?.dialog === 'edit' && (
        <RuleDialog alerts={alerts} session={session} rule={rule} onClose={close} />
      )}
      {rule && open?.dialog === 'delete' && <Delete rule={rule} onClose={close} />}
    </Panel>
  );
}

function Rule(props: {
  rule: AlertRule;
  alerts: Alerts;
  onOpen: (dialog: 'edit' | 'delete') => void;
}) {
  const { rule: r, alerts, onOpen } = props;
  const client = useQueryClient();
  const toggle = useMutation({
    mutationFn: (enabled: boolean) => changeRule(r.id, { enabled }),
    onSettled: () => client.invalidateQueries({ queryKey: alertsQuery.queryKey }),
  });
  const channels = r.channels.flatMap((id) => alerts.channels.find((c) => c.id === id) ?? []);
  return (
    <li className={styles.item}>
      <div className={styles.line}>
        <span className={styles.title} dir="auto">
          {r.name}
        </span>
        {r.enabled ? <Goes channels={channels} /> : <Pill>Off</Pill>}
        <Switch
          label={`Use the rule ${r.name}`}
          checked={toggle.isPending ? toggle.variables : r.enabled}
          onChange={(enabled) => {
            toggle.mutate(enabled);
          }}
        />
      </div>
      <p className={styles.pills}>
        {r.events.map((kind) => (
          <Pill key={kind}>{eventWord(kind, alerts.events)}</Pill>
        ))}
      </p>
      <p className={styles.about}>
        About {scopeWord(r)}
        {r.shared && ' · of all operators'}
        {thresholdWords(r).map((words) => ` · ${words}`)}
        {channels.length > 0 && (
          <>
            {' '}
            · to <bdi>{channels.map((c) => c.name).join(', ')}</bdi>
          </>
        )}
      </p>
      <div className={styles.actions}>
        <Button
          small
          aria-label={`Edit ${r.name}`}
          onClick={() => {
            onOpen('edit');
          }}
        >
          Edit
        </Button>
        <Button
          small
          aria-label={`Delete ${r.name}`}
          onClick={() => {
            onOpen('delete');
          }}
        >
          Delete
        </Button>
      </div>
      {toggle.isError && (
        <p className={styles.failed} role="alert">
          {refusalText(toggle.error)}
        </p>
      )}
    </li>
  );
}

/** Whether what a rule tells goes anywhere. */
function Goes({ channels }: { channels: readonly AlertChannel[] }) {
  if (channels.length === 0) return <Pill tone="warn">No channel</Pill>;
  if (!channels.some((c) => c.enabled && c.confirmed)) return <Pill tone="warn">Channels off</Pill>;
  return <Pill tone="good">On</Pill>;
}

function Delete({ rule: r, onClose }: { rule: AlertRule; onClose: () => void }) {
  const client = useQueryClient();
  const order = useMutation({
    mutationFn: () => deleteRule(r.id),
    onSuccess: () => {
      onClose();
      return client.invalidateQueries({ queryKey: alertsQuery.queryKey });
    },
  });
  return (
    <ConfirmDialog
      title={`Delete the rule ${r.name}?`}
      action="Delete"
      busy={order.isPending}
      error={order.error}
      onConfirm={() => {
        order.mutate();
      }}
      onClose={onClose}
    >
      <p>Nobody is told about it any more. Its channels stay.</p>
    </ConfirmDialog>
  );
}
