import { Plus } from 'lucide-react';
import { useState } from 'react';
import {
  changeRule,
  deleteRule,
  type AlertChannel,
  type AlertRule,
  type Alerts,
} from '../../api/alerts';
import type { Session } from '../../api/session';
import { Button } from '../../components/Button';
import { Empty } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Pill } from '../../components/Pill';
import { Skeleton } from '../../components/Skeleton';
import { AlertItem } from './AlertItem';
import styles from './AlertsPage.module.css';
import { DeleteDialog } from './DeleteDialog';
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
      {rule && open?.dialog === 'delete' && (
        <DeleteDialog
          title={`Delete the rule ${rule.name}?`}
          onDelete={() => deleteRule(rule.id)}
          onClose={close}
        >
          <p>Nobody is told about it any more. Its channels stay.</p>
        </DeleteDialog>
      )}
    </Panel>
  );
}

function Rule(props: {
  rule: AlertRule;
  alerts: Alerts;
  onOpen: (dialog: 'edit' | 'delete') => void;
}) {
  const { rule: r, alerts, onOpen } = props;
  const channels = r.channels.flatMap((id) => alerts.channels.find((c) => c.id === id) ?? []);
  return (
    <AlertItem
      kind="rule"
      name={r.name}
      state={r.enabled ? <Goes channels={channels} /> : <Pill>Off</Pill>}
      enabled={r.enabled}
      onEnable={(enabled) => changeRule(r.id, { enabled })}
    >
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
    </AlertItem>
  );
}

/** Whether what a rule tells goes anywhere. */
function Goes({ channels }: { channels: readonly AlertChannel[] }) {
  if (channels.length === 0) return <Pill tone="warn">No channel</Pill>;
  if (!channels.some((c) => c.enabled && c.confirmed)) return <Pill tone="warn">Channels off</Pill>;
  return <Pill tone="good">On</Pill>;
}
