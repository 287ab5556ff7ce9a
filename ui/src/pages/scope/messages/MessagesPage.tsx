import { Page } from '../Page';

export function MessagesPage() {
  return <Page title="MessagesPage">…</Page>;
}
