import { createContext } from 'react';

/** The place in a panel's head for the tools of what is in it; null while there is none. */
export const PanelTools = createContext<HTMLElement | null>(null);
