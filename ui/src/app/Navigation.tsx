import { Link, useRouterState } from '@tanstack/react-router';
import { Menu, X } from 'lucide-react';
import { useEffect, useRef } from 'react';
import styles from './Navigation.module.css';
import { useGroups } from './useGroups';

/** The pages in a row, where there is room for them. */
export function NavigationBar() {
  const { main } = useGroups();
  return (
    <nav className={styles.bar} aria-label="Pages">
      {main.map((group) => (
        <ul key={group.name} className={styles.group} aria-label={group.name}>
          {group.areas.map((area) => (
            <li key={area.to}>
              <Link to={area.to} activeOptions={{ exact: area.exact ?? false }}>
                {area.label}
              </Link>
            </li>
          ))}
        </ul>
      ))}
    </nav>
  );
}

/** The same pages behind a button, on narrow screens. */
export function NavigationDrawer() {
  const { all } = useGroups();
  const dialog = useRef<HTMLDialogElement>(null);
  const path = useRouterState({ select: (s) => s.location.pathname });

  // Whoever went somewhere has seen enough of the drawer.
  useEffect(() => {
    dialog.current?.close();
  }, [path]);

  return (
    <>
      <button
        type="button"
        className={styles.menu}
        aria-haspopup="dialog"
        aria-label="Pages"
        onClick={() => {
          dialog.current?.showModal();
        }}
      >
        <Menu size={20} aria-hidden="true" />
      </button>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events -- a click beside the drawer; Esc is the dialog's own */}
      <dialog
        ref={dialog}
        className={styles.drawer}
        aria-label="Pages"
        onClick={(event) => {
          if (event.target === event.currentTarget) event.currentTarget.close();
        }}
      >
        <div className={styles.inside}>
          <button
            type="button"
            className={styles.menu}
            aria-label="Close"
            onClick={() => {
              dialog.current?.close();
            }}
          >
            <X size={20} aria-hidden="true" />
          </button>
          <nav aria-label="Pages">
            {all.map((group) => (
              <section key={group.name} className={styles.section}>
                <h2>{group.name}</h2>
                <ul>
                  {group.areas.map((area) => (
                    <li key={area.to}>
                      <Link to={area.to} activeOptions={{ exact: area.exact ?? false }}>
                        <area.icon size={17} aria-hidden="true" />
                        {area.label}
                      </Link>
                    </li>
                  ))}
                </ul>
              </section>
            ))}
          </nav>
        </div>
      </dialog>
    </>
  );
}
