import { useNavigate, useSearch } from '@tanstack/react-router';
import { filterQuery } from '../../../scope/filter';
import { Page } from '../Page';
import { Browser } from './Browser';
import { Filters } from './Filters';
import { filterOf, type MessagesSearch } from './search';

/** Every line that was captured: as it comes, and back through history. */
export function MessagesPage() {
  const search = useSearch({ from: '/scope/messages' });
  const navigate = useNavigate({ from: '/scope/messages' });
  const filter = filterOf(search);

  const change = (next: MessagesSearch) => void navigate({ search: next, replace: true });

  return (
    <Page title="Messages">
      <Filters
        filter={filter}
        onChange={(next) => {
          change(search.m === undefined ? next : { ...next, m: search.m });
        }}
      />
      {/* Another filter is another list, which begins anew. */}
      <Browser
        key={filterQuery(filter).toString()}
        filter={filter}
        open={search.m}
        onOpen={(m) => {
          change(m === undefined ? filter : { ...filter, m });
        }}
        onFilter={change}
      />
    </Page>
  );
}
