import { itemsOf, textOf } from './keys/values/values.ts'
import type { Problems } from './problems.ts'
import type { Lookup } from './syntax/interpolate.ts'
import type { Node } from './syntax/tree.ts'

/** The variable that Compose reads too; here it comes from the app's environment or `.env`. */
export const profilesVariable = 'COMPOSE_PROFILES'

/** The profiles that are on: `a,b`, or `*` for all of them. */
export function activeProfiles(lookup: Lookup): Set<string> {
  const names = (lookup(profilesVariable) ?? '').split(',').map((name) => name.trim())
  return new Set(names.filter((name) => name !== ''))
}

/** Whether a process is part of the app: it names no profile, or one that is on. One that is left out is told. */
export function isActive(
  typeName: string,
  node: Node | undefined,
  active: Set<string>,
  problems: Problems,
): boolean {
  const names = itemsOf(node, problems).flatMap((item) => textOf(item, problems) ?? [])
  if (node === undefined || names.length === 0) return true
  if (active.has('*') || names.some((name) => active.has(name))) return true
  const [first = ''] = names
  const which = names.length === 1 ? `the profile "${first}" is not` : 'none of its profiles is'
  const hint = `rack env set ${profilesVariable}=${first} turns it on`
  problems.variable(node, 'warning', `the process "${typeName}" is left out: ${which} on`, hint)
  return false
}
