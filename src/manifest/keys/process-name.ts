import { processNamePattern } from '../../domain/manifest.ts'
import type { Problems } from '../problems.ts'
import type { Entry } from '../syntax/tree.ts'

/** Checks the name of a process; `taken` are the names of all, so that no better name is told which another one has. */
export function checkProcessName(
  name: string,
  { key }: Entry,
  taken: { has(name: string): boolean },
  problems: Problems,
): void {
  if (processNamePattern.test(name)) return
  const better = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 31)
  const isUsable = processNamePattern.test(better)
  const rule =
    'cannot be the name of a process: use 1 to 31 lower-case letters, digits and dashes, a letter first'
  if (isUsable && taken.has(better))
    problems.error(
      key,
      `"${name}" ${rule}; as "${better}" it would collide with the process of that name`,
      `rename one of "${name}" and "${better}"`,
    )
  else problems.error(key, `"${name}" ${rule}`, `write "${isUsable ? better : 'web'}"`)
}
