import type { Across } from './across.ts'
import type { Node } from '../syntax/tree.ts'
import { shownPart } from '../syntax/tree.ts'

/** Every host name of the app leads to one process: links, aliases and container names share one network. */
export function checkHostNames({ processes, problems }: Across): void {
  const names = new Set(processes.map(({ type }) => type.name))
  const owners = new Map(processes.map(({ type }) => [type.name, type.name]))
  const claim = (name: string, owner: string, at: Node): void => {
    const key = name.toLowerCase()
    const other = owners.get(key)
    if (other === undefined) owners.set(key, owner)
    else if (other !== owner && names.has(key))
      problems.error(at, `${shownPart(at, name)} is the name of another process`, 'choose another name')
    else if (other !== owner)
      problems.error(
        at,
        `the host name ${shownPart(at, name)} would lead to "${other}" and to "${owner}"`,
        'choose another name for one of them',
      )
  }
  for (const { type, hostNames } of processes) {
    for (const { value, at } of hostNames) claim(value, type.name, at)
  }
  for (const { type, links } of processes) {
    for (const { value, at } of links) {
      const { target, alias } = value
      if (names.has(target) && !names.has(alias) && target !== type.name) claim(alias, target, at)
    }
  }
}
