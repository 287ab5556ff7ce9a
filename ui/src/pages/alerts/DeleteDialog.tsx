import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { alertsQuery } from '../../api/alerts';
import { ConfirmDialog } from '../../components/ConfirmDialog';

interface DeleteDialogProps {
  title: string;
  /** What becomes of the rest. */
  children: ReactNode;
  onDelete: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before a channel or a rule is deleted. */
export function DeleteDialog({ title, children, onDelete, onClose }: DeleteDialogProps) {
  const client = useQueryClient();
  const order = useMutation({
    mutationFn: onDelete,
    onSuccess: () => {
      onClose();
      return client.invalidateQueries({ queryKey: alertsQuery.queryKey });
    },
  });
  return (
    <ConfirmDialog
      title={title}
      action="Delete"
      busy={order.isPending}
      error={order.error}
      onConfirm={() => {
        order.mutate();
      }}
      onClose={onClose}
    >
      {children}
    </ConfirmDialog>
  );
}
