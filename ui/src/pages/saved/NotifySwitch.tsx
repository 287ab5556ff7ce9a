import { useMutation, useQueryClient } from '@tanstack/react-query';
import { savedQuery, setNotify, type SavedEntry, type SavedWorkers } from '../../api/saved';
import { Switch } from '../../components/Switch';
import type { SavedWorker } from './group';

/** Whether its person is told about a worker. It moves at once, and back when that failed. */
export function NotifySwitch({ worker: w }: { worker: SavedWorker }) {
  const client = useQueryClient();
  const key = savedQuery.queryKey;
  const order = useMutation({
    mutationFn: (enabled: boolean) => setNotify(w.hash, enabled),
    onMutate: async (enabled) => {
      await client.cancelQueries({ queryKey: key, exact: true });
      const before = client.getQueryData(key);
      client.setQueryData(key, (list) => list && withNotify(list, w.hash, enabled));
      return before;
    },
    onError: (_error, _enabled, before) => {
      if (before) client.setQueryData(key, before);
    },
    onSettled: () => client.invalidateQueries({ queryKey: key, exact: true }),
  });
  return (
    <Switch
      label={order.isError ? `Not changed. Tell me about ${w.name}` : `Tell me about ${w.name}`}
      checked={w.notify}
      onChange={(enabled) => {
        order.mutate(enabled);
      }}
    />
  );
}

function withNotify(list: SavedWorkers, hash: string, enabled: boolean): SavedWorkers {
  const change = (e: SavedEntry) => (e.hash === hash ? { ...e, notify_enabled: enabled } : e);
  return {
    ...list,
    online_workers: list.online_workers.map(change),
    offline_workers: list.offline_workers.map(change),
  };
}
