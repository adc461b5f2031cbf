/** Rows of a history that are sent when nobody says how many. */
export const defaultLimit = 50
