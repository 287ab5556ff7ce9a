import { useEffect, useState } from 'react';

/** How long an outcome is shown, ms. */
const SHOWN = 2000;

/** What came of a click: set, and undefined again after two seconds. */
export function useBriefly<T>(): [T | undefined, (outcome: T) => void] {
  const [outcome, setOutcome] = useState<T>();
  useEffect(() => {
    if (outcome === undefined) return;
    const timer = setTimeout(() => {
      setOutcome(undefined);
    }, SHOWN);
    return () => {
      clearTimeout(timer);
    };
  }, [outcome]);
  return [outcome, setOutcome];
}
