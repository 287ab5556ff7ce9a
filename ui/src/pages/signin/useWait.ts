import { useState } from 'react';
import { ApiError } from '../../api/client';
import { useLocalNow } from '../../lib/clock';

/** How long to wait where the server says "too many" but not how long, seconds. */
const USUAL = 30;

/** The seconds left until a refusal for asking too often (429) is over, and what to tell refusals to. */
export function useWait(): [wait: number, refused: (error: unknown) => void] {
  const now = useLocalNow();
  const [until, setUntil] = useState(0);
  const refused = (error: unknown) => {
    if (error instanceof ApiError && error.status === 429) {
      setUntil(Date.now() + (error.retryAfter ?? USUAL) * 1000);
    }
  };
  return [Math.max(Math.ceil((until - now) / 1000), 0), refused];
}

/** Whether an error says that it was asked too often. */
export function isTooMany(error: unknown): boolean {
  return error instanceof ApiError && error.status === 429;
}
