import { Page } from '../Page';

export function ComparePage() {
  return <Page title="ComparePage">…</Page>;
}
