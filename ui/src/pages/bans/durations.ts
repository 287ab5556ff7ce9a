/** How long a ban may be made to last, seconds; 0 until it is lifted. */
export const DURATIONS = [600, 3600, 86_400, 7 * 86_400, 30 * 86_400, 0];
