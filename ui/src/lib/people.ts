import type { Providers, Role } from '../api/session';
import type { Tone } from '../components/Pill';

const ROLES: Record<Role, { word: string; tone: Tone; means: string }> = {
  viewer: {
    word: 'Viewer',
    tone: 'neutral',
    means: 'Saves workers and sees what everybody may see of them.',
  },
  owner: {
    word: 'Owner of workers',
    tone: 'good',
    means: 'Has proven that a worker is theirs: restarts it, sets its difficulty, sees its wire.',
  },
  operator: {
    word: 'Operator',
    tone: 'good',
    means: 'Sees everything, bans, changes settings.',
  },
};

/** A role that this page does not know is shown as the server has it, and as the least. */
function about(role: string) {
  return Object.hasOwn(ROLES, role)
    ? ROLES[role as Role]
    : { word: role, tone: 'neutral' as const, means: '' };
}

export function roleWord(role: string): string {
  return about(role).word;
}

export function roleTone(role: string): Tone {
  return about(role).tone;
}

/** What a role allows, as a sentence. */
export function roleMeans(role: string): string {
  return about(role).means;
}

/** How somebody signs in, in words. */
export function providerWord(provider: string, providers: Pick<Providers, 'oidc'>): string {
  if (provider === 'local') return 'with a name and a password';
  if (provider === 'clerk') return 'through Clerk';
  return `through ${providers.oidc.find(({ id }) => id === provider)?.name ?? provider}`;
}
