import { signOut } from '../api/session';
import { forgetToken } from '../scope/access';

/** Ends the session, and forgets the token and all that was fetched with either. */
export async function leave(): Promise<void> {
  // Where the session is a provider's, too, it is ended there on the way.
  const { location: way } = await signOut();
  forgetToken();
  // Loaded anew, so that nothing of what was seen stays in this tab's memory.
  location.assign(way ?? '/');
}
