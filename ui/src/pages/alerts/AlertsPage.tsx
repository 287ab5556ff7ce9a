import { useQuery } from '@tanstack/react-query';
import { sessionQuery } from '../../api/session';
import { SignInPrompt } from '../../components/SignInPrompt';
import { Page } from '../scope/Page';

export function AlertsPage() {
  const { data: session } = useQuery(sessionQuery);
  return (
    <Page title="Alerts">
      {session?.signed_in === false && <SignInPrompt title="Sign in">It is yours.</SignInPrompt>}
    </Page>
  );
}
