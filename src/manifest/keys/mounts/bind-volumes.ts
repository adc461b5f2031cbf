import type { Problems } from '../../problems.ts'
import { childOf, type Node } from '../../syntax/tree.ts'
import { entriesOf, textOf } from '../values/values.ts'

/** A volume that is a path under a name: whoever mounts it mounts the path. */
export interface BindVolume {
  /** Where the path is written. */
  device: Node
  source: string
  readOnly: boolean
}

/** What a bind mount may be told beside being one; each holds anyway, but for `ro`. */
const words = new Set(['bind', 'rbind', 'ro', 'rw', 'private', 'rprivate'])

/** Those under the top-level `volumes:` with `driver_opts: { type: none, o: bind, device: PATH }`; any other driver is refused. */
export function bindVolumesOf(node: Node | undefined, problems: Problems): Map<string, BindVolume> {
  const found = new Map<string, BindVolume>()
  for (const [name, { value }] of entriesOf(node, problems)) {
    const options = value.kind === 'map' ? value.entries.get('driver_opts') : undefined
    if (!options || entriesOf(options.value, problems).length === 0) continue
    const bind = bindOf(options.value, problems)
    if (bind) found.set(name, bind)
    else
      problems.error(
        options.key,
        '"driver_opts" is refused: volumes are made by the rack',
        'remove the key; a path is written `{ type: none, o: bind, device: PATH }`',
      )
  }
  return found
}

function bindOf(options: Node, problems: Problems): BindVolume | null {
  const device = childOf(options, 'device')
  const source = textOf(device, problems)
  const type = textOf(childOf(options, 'type'), problems) ?? 'none'
  const given = (textOf(childOf(options, 'o'), problems) ?? '').split(',').map((word) => word.trim())
  const isBind = ['none', 'bind', ''].includes(type) && given.some((word) => word.endsWith('bind'))
  const isPlain = entriesOf(options, problems).length <= 3 && given.every((word) => words.has(word))
  if (!device || !source || !isBind || !isPlain) return null
  // Compose takes it from the file: a name without a slash is no volume here.
  return { device, source: /^[./~]/.test(source) ? source : `./${source}`, readOnly: given.includes('ro') }
}
