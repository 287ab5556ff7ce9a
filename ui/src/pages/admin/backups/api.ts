import { queryOptions } from '@tanstack/react-query';
import { operate, readAdmin } from '../../../api/admin';
import { isRefused } from '../../../api/client';

/** A place where backups go. */
export interface BackupTarget {
  name: string;
  location: string;
  last_success?: string;
  last_try?: string;
  last_error?: string;
  /** Since the program started. */
  made: number;
  failed: number;
}

export interface Backup {
  name: string;
  target: string;
  at: string;
  bytes: number;
  encrypted: boolean;
  /** Read back from its target and found to be right. */
  verified: boolean;
  /** Why it is kept: last, daily, weekly, monthly. */
  generation: string[];
}

/** GET /api/admin/backups. */
export interface BackupState {
  /** They are made by a schedule. */
  enabled: boolean;
  every_sec: number;
  encrypted: boolean;
  running: boolean;
  targets: BackupTarget[];
  backups: Backup[];
  list_error?: string;
}

/** How often it is looked at again, ms; oftener while one is being made. */
const PERIOD = 15_000;
const RUNNING = 2_000;

export const backupsQuery = queryOptions({
  queryKey: ['admin', 'backups'],
  queryFn: ({ signal }) => readAdmin<BackupState>('/api/admin/backups', signal),
  refetchInterval: (query) => {
    if (isRefused(query.state.error)) return false;
    return query.state.data?.running === true ? RUNNING : PERIOD;
  },
});

/** Has a backup made now. */
export function runBackup(): Promise<unknown> {
  return operate('POST', '/api/admin/backups');
}
