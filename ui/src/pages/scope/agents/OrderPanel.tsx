import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type SyntheticEvent } from 'react';
import { errorText } from '../../../api/client';
import { Button } from '../../../components/Button';
import { Field } from '../../../components/Field';
import { Panel } from '../../../components/Panel';
import { sentence } from '../../../lib/format';
import { send } from '../../../scope/client';
import { fleetQuery } from '../../../scope/queries';
import type { Agent, FleetStatus, Order } from '../../../scope/types';
import styles from './AgentsPage.module.css';
import { orderText, readOrder, type OrderForm } from './order';

/** The load that agents in mine mode are asked for. */
export function OrderPanel({ agents }: { agents: readonly Agent[] }) {
  const client = useQueryClient();
  const { data: fleet } = useQuery(fleetQuery);
  const [form, setForm] = useState<OrderForm>({ rate: '', difficulty: '', agent: '' });
  const [wrong, setWrong] = useState('');
  const { mutate, isPending, error } = useMutation({
    mutationFn: (order: Order | undefined) =>
      order
        ? send<FleetStatus>('PUT', '/api/fleet/order', order)
        : send<FleetStatus>('DELETE', '/api/fleet/order'),
    onSuccess: (status) => {
      client.setQueryData(fleetQuery.queryKey, status);
    },
  });
  const miners = agents.filter((a) => a.report?.mode === 'mine');
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const order = readOrder(form);
    setWrong(typeof order === 'string' ? order : '');
    if (typeof order !== 'string') mutate(order);
  };
  const problem = wrong !== '' ? wrong : error ? sentence(errorText(error)) : '';
  return (
    <Panel title="Load order">
      <p className={styles.order} role="status">
        {fleet && orderText(fleet.order)}
      </p>
      <form className={styles.form} onSubmit={submit} noValidate>
        <Field label="Shares a second, of each">
          <input
            type="number"
            min={0}
            step="any"
            required
            value={form.rate}
            aria-invalid={wrong !== ''}
            onChange={(event) => {
              setForm({ ...form, rate: event.target.value });
            }}
          />
        </Field>
        <Field label="Least difficulty">
          <input
            type="number"
            min={0}
            step="any"
            placeholder="the pool’s"
            value={form.difficulty}
            onChange={(event) => {
              setForm({ ...form, difficulty: event.target.value });
            }}
          />
        </Field>
        <Field label="For">
          <select
            value={form.agent}
            onChange={(event) => {
              setForm({ ...form, agent: event.target.value });
            }}
          >
            <option value="">all in mine mode</option>
            {miners.map((a) => (
              <option key={a.agent_id} value={a.agent_id}>
                {a.agent_id}
              </option>
            ))}
          </select>
        </Field>
        <span className={styles.buttons}>
          <Button type="submit" disabled={isPending || !fleet?.enabled}>
            {isPending ? 'One moment…' : 'Order'}
          </Button>
          {fleet?.order && (
            <Button
              disabled={isPending}
              onClick={() => {
                mutate(undefined);
              }}
            >
              Take it back
            </Button>
          )}
        </span>
      </form>
      {problem !== '' && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      <p className={styles.note}>
        Agents keep within the bounds of their own flags. An order lapses 90 s after this scope
        falls silent.
      </p>
    </Panel>
  );
}
