import { Page } from '../scope/Page';

export function WorkerPage() {
  return <Page title="Worker">{undefined}</Page>;
}
