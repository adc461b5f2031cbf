/** How the processes of a type are kept from others of their app, and from the outside: by the networks of its file. */
export interface Isolation {
  /** Those that it is on, in the order of their names; at least one. */
  networks: Membership[]
  /** True where none of them has a way out (`internal: true`). */
  isEnclosed: boolean
}

export interface Membership {
  name: string
  /** By which others on this network reach it too. */
  aliases: string[]
}

/** What its copies are told apart by; null is every network. */
export function networksOf(isolation: Isolation | undefined): string[] | null {
  return isolation ? isolation.networks.map(({ name }) => name) : null
}

/** Whether two reach each other. */
export function shareNetwork(one: string[] | null, other: string[] | null): boolean {
  return one === null || other === null || one.some((name) => other.includes(name))
}

/** Whether by a kernel parameter a process has other addresses than the one that it is known by. */
export function lendsAddress(parameter: string): boolean {
  return /^net\.(ipv6\.|ipv4\.ip_nonlocal_bind$)/.test(parameter)
}
