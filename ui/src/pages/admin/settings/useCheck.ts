import { keepPreviousData, skipToken, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { checkSettings, type Check } from './api';
import type { Changes } from './model';

/** Pause after the last keystroke before the server looks at the changes, ms. */
const SETTLE = 500;

/** What the server says to changes, once nobody types any more. */
export function useCheck(changes: Changes): Check | undefined {
  const text = JSON.stringify(changes);
  const [settled, setSettled] = useState('{}');
  useEffect(() => {
    const timer = setTimeout(() => {
      setSettled(text);
    }, SETTLE);
    return () => {
      clearTimeout(timer);
    };
  }, [text]);
  const none = text === '{}';
  const check = useQuery({
    queryKey: ['admin', 'settings', 'check', settled],
    queryFn:
      none || settled === '{}' ? skipToken : () => checkSettings(JSON.parse(settled) as Changes),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    gcTime: 30_000,
  });
  return none ? undefined : check.data;
}
