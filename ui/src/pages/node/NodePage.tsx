import { Page } from '../scope/Page';

export function NodePage() {
  return <Page title="Node">{undefined}</Page>;
}
