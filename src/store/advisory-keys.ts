/** Locks of ours in a Postgres, which are the database's own: two numbers, of which the first says `rack`. */
export const advisoryKeys = { rack: 0x72_61_63_6b, lead: 1, events: 2 } as const
