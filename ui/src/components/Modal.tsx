import {
  useEffect,
  useId,
  useImperativeHandle,
  useRef,
  type ComponentProps,
  type ReactNode,
  type Ref,
} from 'react';
import { Button } from './Button';
import styles from './Dialog.module.css';

interface ModalProps extends Omit<
  ComponentProps<'dialog'>,
  'ref' | 'title' | 'onClose' | 'aria-labelledby'
> {
  /** For whoever closes it when something is done. */
  ref?: Ref<HTMLDialogElement | null>;
  /** Its heading, which an icon may precede. */
  title: ReactNode;
  /** The look of what is inside; that of Dialog.module.css without. */
  className?: string | undefined;
  /** It was closed; whoever showed it takes it away. */
  onClose: () => void;
}

/** A dialog over the page, open as soon as it is there. Esc or a ModalClose inside closes it. */
export function Modal(props: ModalProps) {
  const { ref, title, className = styles.dialog, onClose, children, ...rest } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useImperativeHandle<HTMLDialogElement | null, HTMLDialogElement | null>(
    ref,
    () => dialog.current,
    [],
  );

  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  return (
    <dialog
      {...rest}
      ref={dialog}
      className={`${styles.frame ?? ''} ${className ?? ''}`}
      aria-labelledby={heading}
      onClose={(event) => {
        // A dialog inside closes by itself, and its event comes up here.
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <h2 id={heading}>{title}</h2>
      {children}
    </dialog>
  );
}

/** A button that closes the dialog it is in. */
export function ModalClose(props: Omit<ComponentProps<typeof Button>, 'onClick'>) {
  return (
    <Button
      {...props}
      onClick={(event) => {
        event.currentTarget.closest('dialog')?.close();
      }}
    />
  );
}
