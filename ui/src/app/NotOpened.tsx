import { Button } from '../components/Button';
import dialogStyles from '../components/Dialog.module.css';
import { Modal, ModalClose } from '../components/Modal';

interface NotOpenedProps {
  title: string;
  /** Its code could not be fetched; otherwise it failed while drawing itself. */
  away: boolean;
  onRetry: () => void;
  onClose: () => void;
}

/** In place of a dialog that cannot be shown. */
export function NotOpened(props: NotOpenedProps) {
  return (
    <Modal title={props.title} onClose={props.onClose}>
      <p role="alert">
        {props.away ? 'This could not be loaded: the server does not answer.' : 'This broke.'}
      </p>
      <div className={dialogStyles.actions}>
        <ModalClose>Close</ModalClose>
        <Button tone="primary" onClick={props.onRetry}>
          Try again
        </Button>
      </div>
    </Modal>
  );
}
