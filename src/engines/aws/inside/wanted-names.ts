import type { Owner } from '../../../domain/owner.ts'
import type { Plan } from '../../../domain/plan.ts'
import { insideName, membersName, searchDomain, type GenerationName } from '../names.ts'
import type { Records } from './records.ts'

/** Names of types, each led to the generation that serves. Pure. */
export function namesOfTypes(
  rack: string,
  plan: Plan,
  serving: ReadonlyMap<string, Pick<GenerationName, 'id'>>,
): Records {
  const records: Records = new Map()
  for (const { type, aliases, leadsTo } of plan.processes) {
    if (leadsTo !== undefined) records.set(serviceName(rack, plan.owner), leadsTo)
    const generation = serving.get(type)
    if (!generation) continue
    const target = membersName(rack, generation)
    for (const alias of aliases) records.set(insideName(rack, plan.owner, alias), target)
    // A service is led to by one name, whatever its type is called.
    if (plan.owner.kind === 'service' && leadsTo === undefined)
      records.set(serviceName(rack, plan.owner), target)
  }
  return records
}

/** Names of what an owner is led to: services that run here, and hosts outside. Pure. */
export function namesOfLinks(rack: string, plan: Plan): Records {
  const records: Records = new Map()
  for (const { services = [], outside = [] } of plan.processes) {
    for (const { service, names } of services) {
      const target = serviceName(rack, { kind: 'service', name: service })
      for (const name of names) records.set(insideName(rack, plan.owner, name), target)
    }
    for (const { host, names } of outside) {
      for (const name of names) records.set(insideName(rack, plan.owner, name), host)
    }
  }
  return records
}

function serviceName(rack: string, owner: Owner): string {
  return searchDomain(rack, owner)
}
