import { processNamePattern } from '../../domain/manifest.ts'
import type { Fix, Remedy } from '../fix/fix.ts'
import type { Problems } from '../problems.ts'
import type { Entry } from '../syntax/tree.ts'
import { isHostName } from './values/host-name.ts'

/** What the rack calls a process, and how the file writes it. */
export interface ProcessName {
  name: string
  written: string
}

/**
 * The name of a process as the rack has it: part of host names, so lower-case letters, digits and dashes. One that cannot
 * be made into such a name stays as it is written.
 */
export function processNameOf(written: string): string {
  const name = written
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
  return isHostName(written) && processNamePattern.test(name) ? name : written
}

/** Reads the name of a process; `taken` has the names before it, and how they are written. */
export function readProcessName(
  written: string,
  { key }: Entry,
  taken: Map<string, string>,
  problems: Problems,
): ProcessName {
  const name = processNameOf(written)
  const other = taken.get(name)
  taken.set(name, written)
  if (!processNamePattern.test(name))
    problems.error(
      key,
      `"${written}" cannot be the name of a process: use 1 to 31 lower-case letters, digits and dashes, a letter first`,
      renaming(written, taken),
    )
  else if (other !== undefined)
    problems.error(
      key,
      `"${written}" and "${other}" would be one process: the rack calls both "${name}", as in host names`,
      { hint: `rename one of "${written}" and "${other}"`, fix: renamingOf(written, taken) },
    )
  else if (name !== written)
    problems.warn(
      key,
      `the rack calls the process "${name}", as in host names`,
      `inside the app "${written}" leads to it too`,
    )
  return { name, written }
}

function renaming(written: string, taken: Map<string, string>): Remedy {
  return { hint: 'write "web"', fix: renamingOf(written, taken) }
}

/** The nearest name that a process may have, and that none has: `service-2`, where nothing is left of the old one. */
function renamingOf(from: string, taken: Map<string, string>): Fix {
  const letters = from.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  const start =
    letters
      .replace(/^[^a-z]+/, '')
      .slice(0, 28)
      .replace(/-+$/, '') || 'service'
  let to = start
  for (let number = 2; taken.has(to); number += 1) to = `${start}-${number}`
  return { change: 'rename-process', from, to }
}
