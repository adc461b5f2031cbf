import { pairsOf } from '../keys/values/values.ts'
import { Problems } from '../problems.ts'
import { childOf } from '../syntax/tree.ts'
import type { Across } from './across.ts'

/** Says of labels of the rack's that stand where only Swarm reads them, and not among those of the process. */
export function tellOfSwarmLabels({ processes, problems }: Across): void {
  for (const { entry } of processes) {
    // What is wrong with them otherwise is told where they are read.
    const pairs = (key: 'deploy' | 'labels') => {
      const node =
        key === 'deploy' ? childOf(childOf(entry.value, 'deploy'), 'labels') : childOf(entry.value, key)
      return pairsOf(node, new Problems())
    }
    const own = new Set(pairs('labels').map(({ name }) => name))
    for (const { name, value, source, at } of pairs('deploy')) {
      if (!name.startsWith('rack.') || own.has(name)) continue
      const hint = 'write it under `labels:` of the process'
      const isPlain = value !== null && value === source
      problems.warn(at, `"${name}" has no effect under \`deploy:\`, where Swarm alone reads it`, {
        hint,
        fix: isPlain ? { change: 'add', under: 'labels', name, value } : [],
      })
    }
  }
}
