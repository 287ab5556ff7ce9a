import { Page } from '../scope/Page';

export function WorkersPage() {
  return <Page title="Workers">{undefined}</Page>;
}
