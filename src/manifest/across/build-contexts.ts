import { shownPart } from '../syntax/tree.ts'
import { cycleOf, rejectAbsent, type Across } from './across.ts'

/** A build that stands on the image of another process waits for it, so there has to be an order. */
export function checkBuildContexts(across: Across): void {
  const { processes, problems } = across
  const next = new Map<string, string[]>()
  for (const { type, contexts } of processes) {
    const targets = contexts.flatMap(({ value }) => ('process' in value ? [value.process] : []))
    next.set(type.name, targets)
  }
  for (const { type, contexts } of processes) {
    for (const { value, at } of contexts) {
      if (!('process' in value)) continue
      if (!next.has(value.process)) rejectAbsent(value.process, at, across)
      else if (leadsBack(value.process, type.name, next))
        problems.error(
          at,
          `no build of this cycle can be first: ${cycleOf(type.name, [type.name, value.process])}`,
          `remove the context ${shownPart(at, value.name)}`,
        )
    }
  }
}

function leadsBack(from: string, to: string, next: Map<string, string[]>): boolean {
  const seen = new Set<string>()
  const open = [from]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === to) return true
    if (seen.has(name)) continue
    seen.add(name)
    open.push(...(next.get(name) ?? []))
  }
  return false
}
