import { Link, type ErrorComponentProps } from '@tanstack/react-router';
import { errorText } from '../api/client';
import { Empty } from '../components/Message';
import { Panel } from '../components/Panel';

/** An address that no page has. */
export function NotFound() {
  return (
    <Panel title="No such page">
      <Empty title="There is nothing at this address.">
        <Link to="/">Go to the overview</Link>
      </Empty>
    </Panel>
  );
}

/** A page that failed while drawing itself: a fault of ours, not of the pool. */
export function Broken({ error, reset }: ErrorComponentProps) {
  return (
    <Panel title="This page broke">
      <Empty title={errorText(error)}>
        <p>The pool is not affected.</p>
        <button type="button" onClick={reset}>
          Draw it again
        </button>
      </Empty>
    </Panel>
  );
}
