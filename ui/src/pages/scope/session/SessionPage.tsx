import { Page } from '../Page';

export function SessionPage() {
  return <Page title="SessionPage">…</Page>;
}
