import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import {
  addChannel,
  alertsQuery,
  changeChannel,
  type AlertChannel,
  type AlertService,
  type ServiceField,
} from '../../api/alerts';
import { refusalText } from '../../api/client';
import { Button } from '../../components/Button';
import { Modal, ModalClose } from '../../components/Modal';
import styles from './AlertDialog.module.css';
import { channelChange, channelForm, missingFields, movedPlaces, type ChannelForm } from './form';
import { QuietFields } from './QuietFields';

interface ChannelDialogProps {
  services: readonly AlertService[];
  /** The one to change; a new one without. */
  channel?: AlertChannel;
  onSaved: (channel: AlertChannel) => void;
  onClose: () => void;
}

/** Makes a channel, or changes one. Its fields are those of its service. */
export function ChannelDialog({ services, channel, onSaved, onClose }: ChannelDialogProps) {
  const client = useQueryClient();
  const id = useId();
  const offered = services.filter((s) => channel?.kind === s.id || (!channel && !s.managed));
  const first = offered[0];
  const [service, setService] = useState(first);
  const [form, setForm] = useState(first && channelForm(first, channel));
  const save = useMutation({
    mutationFn: (order: { service: AlertService; form: ChannelForm }) => {
      const change = channelChange(order.service, order.form, channel);
      return channel ? changeChannel(channel.id, change) : addChannel(order.service.id, change);
    },
    onSuccess: async (saved) => {
      await client.invalidateQueries({ queryKey: alertsQuery.queryKey });
      onSaved(saved);
    },
  });

  const missing = service && form ? missingFields(service, form, channel) : [];
  const moved = service && form ? movedPlaces(service, form, channel) : [];
  return (
    <Modal
      title={channel ? 'Change the channel' : 'Add a channel'}
      className={styles.dialog}
      onClose={onClose}
    >
      {!service || !form ? (
        <p>This poolscope offers no kind of channels.</p>
      ) : (
        <form
          className={styles.form}
          onSubmit={(event) => {
            event.preventDefault();
            if (missing.length === 0 && !save.isPending) save.mutate({ service, form });
          }}
        >
          {!channel && (
            <label>
              Kind
              <select
                value={service.id}
                onChange={(event) => {
                  const next = offered.find((s) => s.id === event.target.value);
                  if (!next) return;
                  setService(next);
                  // What was typed for the other service is none of this one's business.
                  setForm({ ...channelForm(next), quiet: form.quiet });
                  save.reset();
                }}
              >
                {offered.map((s) => (
                  <option key={s.id} value={s.id}>
                    {s.name}
                  </option>
                ))}
              </select>
            </label>
          )}
          <label>
            Name
            <input
              value={form.name}
              maxLength={80}
              required
              autoComplete="off"
              onChange={(event) => {
                setForm({ ...form, name: event.target.value });
              }}
            />
          </label>
          {!service.managed &&
            service.fields.map((field) => (
              <Setting
                key={`${service.id} ${field.key}`}
                id={`${id}-${field.key}`}
                field={field}
                kept={channel?.secrets_set.includes(field.key) === true}
                moved={moved.find((place) => place.key !== field.key)}
                value={form.values[field.key] ?? ''}
                onChange={(value) => {
                  setForm({ ...form, values: { ...form.values, [field.key]: value } });
                }}
              />
            ))}
          <QuietFields
            value={form.quiet}
            onChange={(quiet) => {
              setForm({ ...form, quiet });
            }}
          />
          {service.confirm && (
            <p className={styles.hint}>
              A code is sent there. Give it back here, and messages may go there.
            </p>
          )}
          {save.isError && (
            <p className={styles.failed} role="alert">
              {refusalText(save.error)}
            </p>
          )}
          <div className={styles.actions}>
            <ModalClose>Cancel</ModalClose>
            <Button
              type="submit"
              tone="primary"
              disabled={save.isPending || missing.length > 0 || form.name.trim() === ''}
            >
              {save.isPending ? 'Saving…' : channel ? 'Save' : 'Add'}
            </Button>
          </div>
        </form>
      )}
    </Modal>
  );
}

function Setting(props: {
  id: string;
  field: ServiceField;
  /** A secret that the server has already. */
  kept: boolean;
  /** A place that changes: what was kept must be entered again. */
  moved: ServiceField | undefined;
  value: string;
  onChange: (value: string) => void;
}) {
  const { id, field, value, onChange } = props;
  const kept = props.kept && props.moved === undefined;
  const lost = props.kept && field.secret ? props.moved : undefined;
  if (field.type === 'bool') {
    return (
      <label className={styles.check}>
        <input
          type="checkbox"
          checked={value === 'true'}
          onChange={(event) => {
            onChange(event.target.checked ? 'true' : '');
          }}
        />
        {field.label}
      </label>
    );
  }
  return (
    <div>
      <label htmlFor={id}>
        {field.label}
        {!field.required && <span className={styles.optional}> optional</span>}
      </label>
      <input
        id={id}
        type={field.secret ? 'password' : field.type}
        value={value}
        required={field.required && !kept}
        placeholder={kept ? 'unchanged' : undefined}
        // One that is nobody's password, which a manager should not offer to keep.
        autoComplete={field.secret ? 'off' : undefined}
        autoCapitalize="none"
        spellCheck={false}
        aria-describedby={
          [lost && `${id}-again`, field.help !== undefined && `${id}-help`]
            .filter(Boolean)
            .join(' ') || undefined
        }
        onChange={(event) => {
          onChange(event.target.value);
        }}
      />
      {lost && (
        <p id={`${id}-again`} className={styles.again} role="status">
          {lost.label} changed: enter this again
          {field.required ? '.' : ', or it is removed.'}
        </p>
      )}
      {field.help !== undefined && (
        <p id={`${id}-help`} className={styles.hint}>
          {field.help}
        </p>
      )}
    </div>
  );
}
