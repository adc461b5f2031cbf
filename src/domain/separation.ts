/** What the copies of one owner reach, where its file keeps some of them apart. */
export interface Separation {
  /** Of all of them; an address in it that is in no group reaches none of the others. */
  subnet: string
  groups: ReachGroup[]
  /** Addresses that have no way out of the subnet, to the machine neither. */
  enclosed: string[]
}

/** Addresses that reach the same ones; those reach them too. */
export interface ReachGroup {
  members: string[]
  reached: string[]
}
