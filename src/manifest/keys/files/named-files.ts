import type { Problems } from '../../problems.ts'
import { childOf, type MapNode, type Node } from '../../syntax/tree.ts'
import { itemsOf, textOf } from '../values/values.ts'
import { declaredFiles, sourcePathOf } from './declared-files.ts'

/** A file of the source that the compose file names; `path` is relative to the source directory. */
export interface NamedFile {
  path: string
  at: Node
}

/** The files whose contents the `configs:` and `secrets:` of any process or build need; all are required. */
export function contentFilesOf(root: MapNode, problems: Problems): NamedFile[] {
  const services = childOf(root, 'services')
  const all = services?.kind === 'map' ? [...services.entries.values()].map(({ value }) => value) : []
  return (['config', 'secret'] as const).flatMap((kind) => {
    const lists = all.flatMap((service) => [service, childOf(service, 'build')])
    const used = new Set(lists.flatMap((of) => namesOf(childOf(of, `${kind}s`), problems)))
    return [...declaredFiles(root, kind, problems)].flatMap(([name, { entry }]): NamedFile[] => {
      const at = childOf(entry.value, 'file')
      const path = at && used.has(name) ? sourcePathOf(at, problems) : null
      return at && path !== null ? [{ path, at }] : []
    })
  })
}

/** The files of all secrets, also of those that no process uses for now: none of them belongs into a build. */
export function secretPathsOf(root: MapNode, problems: Problems): string[] {
  return [...declaredFiles(root, 'secret', problems).values()].flatMap(({ entry }) => {
    const at = childOf(entry.value, 'file')
    return (at && sourcePathOf(at, problems)) ?? []
  })
}

function namesOf(node: Node | undefined, problems: Problems): string[] {
  return itemsOf(node, problems).flatMap((item) => {
    const name = textOf(item.kind === 'map' ? childOf(item, 'source') : item, problems)
    return name === null ? [] : [name]
  })
}

/** The files of `label_file:`, a single one or a list; all are required. */
export function labelFilesOf(service: Node, problems: Problems): NamedFile[] {
  return itemsOf(childOf(service, 'label_file'), problems, true).flatMap((at): NamedFile[] => {
    const path = sourcePathOf(at, problems)
    return path === null ? [] : [{ path, at }]
  })
}
