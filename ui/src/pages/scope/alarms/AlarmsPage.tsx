import { Page } from '../Page';

export function AlarmsPage() {
  return <Page title="AlarmsPage">…</Page>;
}
