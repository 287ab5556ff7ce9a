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
          change({ ...next, ...keep(search, 'm'), ...keep(search, 'at') });
        }}
      />
      {/* Another filter is another list, which begins anew. */}
      <Browser
        key={filterQuery(filter).toString()}
        filter={filter}
        open={search.m}
        onOpen={(m) => {
          change({ ...filter, ...keep(search, 'at'), ...(m !== undefined && { m }) });
        }}
        at={search.at}
        onJump={(at) => {
          change({ ...filter, ...keep(search, 'm'), ...(at !== undefined && { at }) });
        }}
        onFilter={change}
      />
    </Page>
  );
}

/** A member of the search, if it is there. */
function keep(search: MessagesSearch, key: 'm' | 'at'): MessagesSearch {
  const value = search[key];
  return value === undefined ? {} : { [key]: value };
}
