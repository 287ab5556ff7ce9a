/** How somebody signs in, in words. */
export function providerName(provider: string): string {
  if (provider === 'local') return 'password';
  return provider === 'clerk' ? 'Clerk' : provider;
}

/** What each role that can be given may do. */
export const ROLES = [
  {
    value: 'viewer',
    label: 'Viewer',
    means: 'Saves workers, gets alerts, and does with workers of their own what an operator may.',
  },
  { value: 'operator', label: 'Operator', means: 'Sees and changes everything.' },
] as const;
