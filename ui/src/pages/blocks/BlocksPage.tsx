import { Page } from '../scope/Page';

export function BlocksPage() {
  return <Page title="Blocks">{undefined}</Page>;
}
