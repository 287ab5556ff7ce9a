import { Page } from '../scope/Page';

export function ServerPage() {
  return <Page title="Server">{undefined}</Page>;
}
