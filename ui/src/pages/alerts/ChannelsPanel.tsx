import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Plus, Send } from 'lucide-react';
import { useState } from 'react';
import {
  alertsQuery,
  changeChannel,
  deleteChannel,
  testChannel,
  type AlertChannel,
  type Alerts,
  type AlertService,
} from '../../api/alerts';
import { Button } from '../../components/Button';
import { Empty } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Pill } from '../../components/Pill';
import { Skeleton } from '../../components/Skeleton';
import { Time } from '../../components/Time';
import { sentence } from '../../lib/format';
import { AlertItem } from './AlertItem';
import styles from './AlertsPage.module.css';
import { ChannelDialog } from './ChannelDialog';
import { CodeDialog } from './CodeDialog';
import { DeleteDialog } from './DeleteDialog';

type Open = { dialog: 'add' } | { dialog: 'edit' | 'delete' | 'code'; id: string } | undefined;

/** Where messages go. */
export function ChannelsPanel({ alerts }: { alerts: Alerts | undefined }) {
  const [open, setOpen] = useState<Open>();
  const close = () => {
    setOpen(undefined);
  };
  const channel = open && 'id' in open ? alerts?.channels.find((c) => c.id === open.id) : undefined;
  return (
    <Panel
      title="Channels"
      aside={
        <Button
          small
          disabled={!alerts}
          onClick={() => {
            setOpen({ dialog: 'add' });
          }}
        >
          <Plus size={15} aria-hidden="true" />
          Add a channel
        </Button>
      }
    >
      {!alerts ? (
        <Skeleton width="30ch" />
      ) : alerts.channels.length === 0 ? (
        <Empty title="No channel yet">
          <p>A channel is where messages arrive: your phone, a chat room, a mailbox, a program.</p>
        </Empty>
      ) : (
        <ul className={styles.list}>
          {alerts.channels.map((c) => (
            <Channel
              key={c.id}
              channel={c}
              service={alerts.services.find((s) => s.id === c.kind)}
              onOpen={(dialog) => {
                setOpen({ dialog, id: c.id });
              }}
            />
          ))}
        </ul>
      )}
      {alerts && open?.dialog === 'add' && (
        <ChannelDialog
          services={alerts.services}
          onClose={close}
          onSaved={(saved) => {
            setOpen(saved.confirmed ? undefined : { dialog: 'code', id: saved.id });
          }}
        />
      )}
      {alerts && channel && open?.dialog === 'edit' && (
        <ChannelDialog
          services={alerts.services}
          channel={channel}
          onClose={close}
          onSaved={(saved) => {
            setOpen(saved.confirmed ? undefined : { dialog: 'code', id: saved.id });
          }}
        />
      )}
      {channel && open?.dialog === 'code' && <CodeDialog channel={channel} onClose={close} />}
      {channel && open?.dialog === 'delete' && (
        <DeleteDialog
          title={`Delete the channel ${channel.name}?`}
          onDelete={() => deleteChannel(channel.id)}
          onClose={close}
        >
          <p>Rules do without it, and what still waits to be sent there is dropped.</p>
        </DeleteDialog>
      )}
    </Panel>
  );
}

function Channel(props: {
  channel: AlertChannel;
  service: AlertService | undefined;
  onOpen: (dialog: 'edit' | 'delete' | 'code') => void;
}) {
  const { channel: c, service, onOpen } = props;
  const client = useQueryClient();
  const test = useMutation({
    mutationFn: () => testChannel(c.id),
    onSettled: () => client.invalidateQueries({ queryKey: alertsQuery.queryKey }),
  });
  return (
    <AlertItem
      kind="channel"
      name={c.name}
      state={<State channel={c} known={service !== undefined} />}
      enabled={c.enabled}
      onEnable={(enabled) => changeChannel(c.id, { enabled })}
      failure={test.error}
    >
      <p className={styles.about}>
        {service?.name ?? c.kind}
        {c.shared && ' · of all operators'}
        {c.quiet && (
          <>
            {' '}
            · quiet {c.quiet.from}–{c.quiet.to} {c.quiet.zone}
          </>
        )}
        {c.last_sent_at !== undefined && (
          <>
            {' '}
            · last sent <Time at={c.last_sent_at} ago />
          </>
        )}
      </p>
      {c.last_error !== undefined && !test.isError && (
        <p className={styles.failed}>
          <Time at={c.error_at} ago />: {sentence(c.last_error)}
        </p>
      )}
      <div className={styles.actions}>
        {c.confirmed ? (
          <Button
            small
            disabled={test.isPending}
            aria-label={`Test ${c.name}`}
            onClick={() => {
              test.mutate();
            }}
          >
            <Send size={14} aria-hidden="true" />
            {test.isPending ? 'Sending…' : 'Test'}
          </Button>
        ) : (
          <Button
            small
            tone="primary"
            onClick={() => {
              onOpen('code');
            }}
          >
            Enter the code
          </Button>
        )}
        <Button
          small
          disabled={!service}
          aria-label={`Edit ${c.name}`}
          onClick={() => {
            onOpen('edit');
          }}
        >
          Edit
        </Button>
        {service?.managed !== true && (
          <Button
            small
            aria-label={`Delete ${c.name}`}
            onClick={() => {
              onOpen('delete');
            }}
          >
            Delete
          </Button>
        )}
        <span className={styles.outcome} role="status">
          {test.isSuccess && 'It arrived.'}
        </span>
      </div>
    </AlertItem>
  );
}

function State({ channel: c, known }: { channel: AlertChannel; known: boolean }) {
  if (!known) return <Pill tone="bad">Not configured any more</Pill>;
  if (!c.confirmed) return <Pill tone="warn">Waiting for its code</Pill>;
  if (!c.enabled) return <Pill>Off</Pill>;
  if (c.last_error !== undefined) return <Pill tone="bad">Last one failed</Pill>;
  return <Pill tone="good">On</Pill>;
}
