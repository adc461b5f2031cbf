import type { Problems } from '../../problems.ts'
import { childOf, shown, type Node } from '../../syntax/tree.ts'
import { isTrue, type Labels } from './labels.ts'
import { textOf } from '../values/values.ts'

/** Whether every instance runs one copy: `rack.agent`, or Swarm's mode `global`. */
export function isAgentOf(service: Node, { family }: Labels, problems: Problems): boolean {
  const deploy = childOf(service, 'deploy')
  const label = family.get('agent') ?? family.get('daemon')
  const mode = childOf(deploy, 'mode')
  const isGlobal = isGlobalMode(mode, problems)
  // A name alone is how the original's users write it.
  const isAgent = label ? isTrue(label) || label.value === '' : isGlobal
  if (mode && isGlobal && !isAgent)
    problems.error(mode, '`global` makes an agent, and a label says that it is none', 'keep one of them')
  const count = childOf(deploy, 'replicas') ?? childOf(service, 'scale')
  if (isAgent && count && Number(textOf(count, problems) ?? 1) > 1)
    problems.error(
      count,
      'every instance runs one copy of an agent, neither more nor less',
      'remove the count',
    )
  return isAgent
}

function isGlobalMode(mode: Node | undefined, problems: Problems): boolean {
  const text = textOf(mode, problems)
  if (mode && text !== null && text !== 'global' && text !== 'replicated') {
    problems.error(
      mode,
      `${shown(mode)} is neither \`replicated\` nor \`global\``,
      'for what ends, write `restart: "no"` instead of a mode',
    )
  }
  return text === 'global'
}
