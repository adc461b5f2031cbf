/** What somebody has taken away of what a generation stands on. */
export interface LostParts {
  /** ARNs of target groups. */
  groups: ReadonlySet<string>
  /** In words. */
  what: string
}

/** The same of all generations that serve. */
export interface Lost {
  /** Of those whose next task would not start, or would be reached by nobody; by their names. */
  parts: ReadonlyMap<string, LostParts>
  /** ARNs of target groups to which nothing leads any more. */
  unled: Set<string>
}
