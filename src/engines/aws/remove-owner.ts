import type { Control } from '../../domain/control.ts'
import { ownerKey, type Owner } from '../../domain/owner.ts'
import { removeStack } from '../../aws/stacks.ts'
import { forgetCompleted } from './jobs/notes.ts'
import { awaitStopped } from './leaving/leave-copies.ts'
import { clearParts, removeDefinition, removeGeneration } from './leaving/remove-parts.ts'
import { changeRecordsOf, findRecords, recordChanges } from './inside/records.ts'
import { findGenerations, findTasks, type FoundGeneration } from './look/found.ts'
import { allTasks } from './look/service-tasks.ts'
import { appStackName, readGenerationName } from './names.ts'
import { clearOrphansOf } from './orphans.ts'
import type { AwsParts } from './parts.ts'
import { bringOpenPorts } from './routes/open-ports.ts'
import { removePlaces } from './routes/places.ts'
import { leadNames } from './web/bring-homes.ts'
import { ownStackOptions } from './own-stacks.ts'

/** Takes an app or a service off the rack: what leads to it, its processes, then all that they stood on. Safe to repeat. */
export async function removeOwner(parts: AwsParts, owner: Owner, control: Control): Promise<void> {
  const { clients, rack, places } = parts
  const { signal } = control
  const generations = await findGenerations(parts, { owner }, control)
  const tasks = await findTasks(parts, { owner }, control)
  const arns = new Set(tasks.map(({ arn }) => arn))
  for (const { name } of generations) {
    for (const { arn } of await allTasks(parts, { serviceName: name }, control)) arns.add(arn)
  }
  for (const arn of arns) parts.endedTasks.add(arn)
  // Before its ports are another's to open.
  await bringOpenPorts(parts, owner, [], control)
  for (const each of generations) await removeGeneration(parts, leftOf(each), control)
  await removePlaces(parts, owner, control)
  parts.web.hosts.delete(ownerKey(owner))
  if (owner.kind === 'app') await leadNames(parts, { owner, balancer: null }, control)
  for (const { arn, service } of tasks) {
    if (service !== null) continue
    await clients.ecs.stopTask(
      { cluster: places.cluster, task: arn, reason: 'its app is removed' },
      { abortSignal: signal },
    )
  }
  const records = await findRecords(parts, owner, control)
  await changeRecordsOf(
    parts,
    { owner, records },
    (now) => recordChanges(now, new Map(), now.keys()),
    control,
  )
  // As long as they drain.
  await awaitStopped(parts, [...arns], control)
  for (const each of generations) await clearParts(parts, leftOf(each), control)
  for (const { task } of tasks) {
    const family = /task-definition\/([^:]+):/.exec(task.taskDefinitionArn ?? '')?.[1] ?? ''
    const named = readGenerationName(family)
    if (named) await removeDefinition(parts, named, control)
  }
  // Whose service is gone, and whose daemon ended before the rest was.
  await clearOrphansOf(parts, owner, control)
  await forgetCompleted(parts, owner, null, control)
  await removeStack(ownStackOptions(parts), appStackName(rack, owner), control)
}

function leftOf({ owner, type, id, service }: FoundGeneration) {
  const groups = (service.loadBalancers ?? []).flatMap(({ targetGroupArn }) => targetGroupArn ?? [])
  return { owner, type, id, groups, registry: service.serviceRegistries?.[0]?.registryArn ?? null }
}
