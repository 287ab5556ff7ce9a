import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { ban, bansQuery } from '../../api/bans';
import { ApiError, errorText } from '../../api/client';
import { Button } from '../../components/Button';
import { Panel } from '../../components/Panel';
import { formatDuration, sentence } from '../../lib/format';
import styles from './BansPage.module.css';
import { DURATIONS } from './durations';

/** Bans an address or a network. */
export function BanForm() {
  const client = useQueryClient();
  const id = useId();
  const [address, setAddress] = useState('');
  const [duration, setDuration] = useState(3600);
  const [reason, setReason] = useState('');
  const order = useMutation({
    mutationFn: ban,
    onSuccess: () => {
      setAddress('');
      setReason('');
      return client.invalidateQueries({ queryKey: bansQuery.queryKey });
    },
  });
  const made = order.isSuccess && order.variables.address;
  const privately =
    order.error instanceof ApiError && order.error.status === 409 ? order.variables : undefined;
  return (
    <Panel title="Ban an address">
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          order.mutate({
            address: address.trim(),
            duration_sec: duration,
            reason: reason.trim(),
          });
        }}
      >
        <label className={styles.wide}>
          IP address or network
          <input
            value={address}
            placeholder="203.0.113.7 or 203.0.113.0/24"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            required
            aria-describedby={`${id}-hint`}
            onChange={(event) => {
              order.reset();
              setAddress(event.target.value);
            }}
          />
        </label>
        <label>
          Duration
          <select
            value={duration}
            onChange={(event) => {
              setDuration(Number(event.target.value));
            }}
          >
            {DURATIONS.map((seconds) => (
              <option key={seconds} value={seconds}>
                {seconds === 0 ? 'until lifted' : formatDuration(seconds)}
              </option>
            ))}
          </select>
        </label>
        <label className={styles.wide}>
          Reason
          <input
            value={reason}
            placeholder="optional, shown to everybody"
            autoComplete="off"
            maxLength={80}
            onChange={(event) => {
              setReason(event.target.value);
            }}
          />
        </label>
        <Button type="submit" tone="danger" disabled={order.isPending || address.trim() === ''}>
          {order.isPending ? 'Banning…' : 'Ban'}
        </Button>
      </form>
      <p className={styles.hint} id={`${id}-hint`}>
        Open connections from there are closed at once. An IPv6 address stands for its /64; networks
        may be as large as /16, or /32 of IPv6.
      </p>
      <p className={styles.outcome} role="status">
        {made && `${made} was banned.`}
      </p>
      {order.isError && (
        <p className={styles.failed} role="alert">
          {privately
            ? 'This address is the pool’s own machine’s or of a private network: that may be all of your own miners, or a proxy.'
            : order.error instanceof ApiError && order.error.status === 400
              ? sentence(order.error.message)
              : errorText(order.error)}
        </p>
      )}
      {privately && (
        <Button
          small
          tone="danger"
          onClick={() => {
            order.mutate({ ...privately, private: true });
          }}
        >
          Ban it nevertheless
        </Button>
      )}
    </Panel>
  );
}
