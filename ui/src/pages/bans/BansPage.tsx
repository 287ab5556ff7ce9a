import { Page } from '../scope/Page';

export function BansPage() {
  return <Page title="Bans">{undefined}</Page>;
}
