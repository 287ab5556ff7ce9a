import { Navigate } from '@tanstack/react-router';
import { useView } from '../api/LiveProvider';
import { hasPool } from '../lib/pool';
import { OverviewPage } from '../pages/overview/OverviewPage';

/** The overview; the sessions where the program is a scope alone. */
export function StartPage() {
  const { data: status } = useView('status');
  if (status && !hasPool(status)) return <Navigate to="/scope/sessions" replace />;
  return <OverviewPage />;
}
