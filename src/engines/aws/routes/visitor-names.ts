import type { Domain } from '../../../domain/domain-name.ts'
import type { Plan, ProcessPlan } from '../../../domain/plan.ts'
import { waysOf } from '../../../domain/ways.ts'

/** By what visitors ask for a type: its own names, and domains of its app that lead to it. Pure; empty where it serves no web. */
export function visitorNames(
  { owner, processes }: Pick<Plan, 'owner' | 'processes'>,
  { type, hosts }: Pick<ProcessPlan, 'type' | 'hosts'>,
  domains: readonly Domain[],
): string[] {
  const web = processes.filter((each) => waysOf(each).some(({ kind }) => kind === 'web'))
  if (!web.some((each) => each.type === type)) return []
  const main = web.length === 1 ? web[0]!.type : 'web'
  const led = domains.filter(
    ({ app, process }) => owner.kind === 'app' && app === owner.name && (process ?? main) === type,
  )
  return [...new Set([...hosts, ...led.map(({ name }) => name)])]
}
