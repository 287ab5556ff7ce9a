import { useIsFetching, useMutationState, type Query } from '@tanstack/react-query';
import { useRouterState } from '@tanstack/react-router';
import { useState } from 'react';
import { useSteady, useToldTask, type Task } from '../lib/progress';
import styles from './ProgressBar.module.css';

declare module '@tanstack/react-query' {
  interface Register {
    /** `progress` names what the mutation does, for the bar at the top. */
    mutationMeta: { progress?: string };
  }
}

/** Whether a query fetches what has never been there; refreshing is nobody's wait. */
function isFirstFetch(query: Query): boolean {
  return query.state.data === undefined;
}

/** What is under way now; undefined when nothing is. */
function useRunning(): Task | undefined {
  const told = useToldTask();
  const navigating = useRouterState({ select: (s) => s.status === 'pending' });
  const fetching = useIsFetching({ predicate: isFirstFetch }) > 0;
  const sending = useMutationState({
    filters: { status: 'pending' },
    select: (m) => m.options.meta?.progress ?? 'Waiting for an answer',
  }).at(-1);
  if (told) return told;
  if (sending !== undefined) return { label: sending, part: undefined };
  if (navigating) return { label: 'Loading the page', part: undefined };
  return fetching ? { label: 'Fetching', part: undefined } : undefined;
}

/** A thin bar at the top of the window while something takes its time. */
export function ProgressBar() {
  const running = useRunning();
  const shown = useSteady(running !== undefined);
  // While the bar lingers, full, it goes on naming what it was there for.
  const [label, setLabel] = useState('');
  if (running && running.label !== label) setLabel(running.label);
  return (
    <>
      {shown && <Bar task={{ label, part: running ? running.part : 1 }} />}
      <span className="visually-hidden" role="status">
        {shown && `${label}…`}
      </span>
    </>
  );
}

function Bar({ task: { label, part } }: { task: Task }) {
  const known = part === undefined ? {} : { 'aria-valuenow': Math.round(part * 100) };
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...known}
      className={styles.bar}
      data-known={part !== undefined}
    >
      <i style={part === undefined ? undefined : { transform: `scaleX(${part})` }} />
    </div>
  );
}
