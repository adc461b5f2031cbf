import type { Stack } from '@aws-sdk/client-cloudformation'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { unmanagedError, type ManagedService, type ServiceAddress } from '../../../domain/service.ts'
import type { StackChange } from '../../../aws/change-sets.ts'
import { findResource } from '../../../aws/stack-resource.ts'
import { describeStack } from '../../../aws/stack-state.ts'
import { ensureStack } from '../../../aws/stacks.ts'
import { awsTags, ownerTag, serviceStackName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { assertOwn } from './own-stack.ts'
import { cacheAdmin, cacheEngines, cacheResource, cacheTemplate, passwordOf } from './cache-template.ts'
import { lastSnapshot } from './last-snapshot.ts'
import { cacheClass, databaseClass } from './machine-class.ts'
import { databaseEngines, databaseResource, databaseTemplate, isDatabase } from './database-template.ts'
import { estimateStack } from '../estimate-stack.ts'
import { ownStackOptions } from '../own-stacks.ts'

/** RDS takes five to twenty minutes for a database, and as long again for its last snapshot (J). */
export const managedDeadlineMs = 45 * 60_000

/**
 * Has the account run a service, by RDS or ElastiCache: a stack, which is found again by its name. Safe to repeat with
 * the same passwords.
 * @throws unsupported for another kind; invalid for more than there is of it
 */
export async function provisionManaged(
  parts: AwsParts,
  managed: ManagedService,
  control: Control,
): Promise<ServiceAddress> {
  const { rack } = parts
  const { name, kind, password } = managed
  const wanted = wantedOf(parts, managed)
  const stack = serviceStackName(rack, name)
  // Before anything is made whose client could not be sure of it.
  const authorities = wanted.isEncrypted ? await parts.authorities() : null
  const options = ownStackOptions(parts, managedDeadlineMs)
  const there = await describeStack(options, stack, control)
  if (there) assertOwn(rack, there)
  if (there && managed.was && machineOf(managed) !== machineOf({ ...managed, ...managed.was }))
    await tellBilled(parts, managed, wanted.template, control)
  const { Host, Port } = await ensureStack(
    options,
    {
      name: stack,
      template: wanted.template,
      parameters: wanted.parameters,
      tags: awsTags({ rack, owner: ownerTag({ kind: 'service', name }) }),
      judge: (changes) => assertKept(name, changes),
      judgeNew: async (found) => {
        if (managed.isThere) throw await goneError(parts, managed, { stack, found }, control)
        await tellBilled(parts, managed, wanted.template, control)
      },
    },
    control,
  )
  if (managed.isThere) await assertUpgraded(parts, managed, control)
  if (Host === undefined || Port === undefined)
    throw new RackError('engine-failed', `the stack ${stack} does not say where its ${kind} is`)
  const at = { scheme: kind, host: Host, port: Number(Port), path: '' }
  return { ...at, username: wanted.admin, password, authorities }
}

/** For one that was made, and of which nothing can be changed any more: what would be made in its place is empty. */
async function goneError(
  parts: AwsParts,
  managed: ManagedService,
  { stack, found }: { stack: string; found: Stack | null },
  control: Control,
): Promise<RackError> {
  const { name, identity } = managed
  const last = isDatabase(managed)
    ? await lastSnapshot(parts, { name, ...(identity !== undefined && { identity }) }, control)
    : null
  const what = isDatabase(managed) ? 'RDS' : 'ElastiCache'
  const kept =
    last === null
      ? `snapshots of it, where there are any, are in ${what}'s list`
      : `its last snapshot is ${last}`
  if (found) {
    return new RackError(
      'conflict',
      `${name} stays as it is: somebody has begun to delete its stack ${stack}, which takes no change any more (${found.StackStatus})`,
      {
        hint: isDatabase(managed)
          ? `Save its data, and delete it: rack services backup ${name}, rack services delete ${name}`
          : `Delete it, and make another one: rack services delete ${name}, rack services create ${managed.kind} --managed --name ${name}`,
        details: { service: name, stack },
      },
    )
  }
  return new RackError('conflict', `the account has ${name} no more: its stack ${stack} is gone; ${kept}`, {
    hint: `Have ${what} make one of a snapshot, and give its URL: rack services create url. Then link that, and: rack services delete ${name}`,
    details: { service: name, stack },
  })
}

const machineOf = (managed: ManagedService) =>
  isDatabase(managed) ? databaseClass(managed) : cacheClass(managed)

/** Before anything is made or changed. */
async function tellBilled(
  parts: AwsParts,
  managed: ManagedService,
  template: object,
  control: Control,
): Promise<void> {
  const machine = machineOf(managed)
  const what = isDatabase(managed)
    ? `RDS bills a ${machine} by the hour, 20 GB of gp3 by the month, more of it as data grows, snapshots, and Extended Support once its standard support of ${managed.kind} ${managed.version} has ended`
    : `ElastiCache bills a ${machine} by the hour${cacheEngines[managed.kind]!.family ? ', and snapshots' : ''}`
  const text = `${what}: ${await estimateStack(parts, template, control)}`
  control.report({ type: 'log', text, time: new Date().toISOString() })
}

/**
 * CloudFormation says of other settings alone that they may replace a database, and its handler replaces none for them
 * (S: ImmutabilityHelper of its provider of RDS): a new version wants such as are of its own.
 */
const settingsProperty = 'DBParameterGroupName'

/** @throws conflict for a change by which the data would go */
export function assertKept(name: string, changes: StackChange[]): void {
  const isData = ({ resource }: StackChange) => resource === databaseResource || resource === cacheResource
  const isLost = ({ action, because = [] }: StackChange) =>
    action === 'Remove' || (action === 'Replace' && because.join() !== settingsProperty)
  const lost = changes.find((change) => isData(change) && isLost(change))
  if (!lost) return
  throw new RackError('conflict', `${name} stays as it is: the change would put another one in its place`, {
    hint: 'Make another one, and move its data by a backup: rack services create --managed',
    details: { resource: lost.resource, type: lost.type },
  })
}

/** D: "Prechecks for upgrades": RDS cancels one that it finds not to go well, before it stops the server, and tells nobody. */
export async function assertUpgraded(
  { clients, rack }: Pick<AwsParts, 'clients' | 'rack'>,
  managed: Pick<ManagedService, 'name' | 'kind' | 'version'>,
  control: Control,
): Promise<void> {
  if (!isDatabase(managed)) return
  const { name, kind, version } = managed
  const { series } = databaseEngines[kind]!
  const stack = serviceStackName(rack, name)
  const found = await findResource(clients.stacks, { stack, resource: databaseResource }, control)
  const asked = { DBInstanceIdentifier: found?.id }
  const { DBInstances = [] } = await clients.databases.describeDBInstances(asked, {
    abortSignal: control.signal,
  })
  const actual = DBInstances[0]?.EngineVersion ?? 'unknown'
  if (series(actual) === series(version)) return
  throw new RackError('engine-failed', `RDS has left ${name} at version ${actual}`, {
    hint: `RDS tells why among the events and logs of ${found?.id}. Before you try again: rack services update ${name} --version ${series(actual)}`,
    details: { service: name, version: actual },
  })
}

interface WantedManaged {
  template: object
  parameters: Record<string, string>
  admin: string
  isEncrypted: boolean
}

function wantedOf({ rack, places }: AwsParts, managed: ManagedService): WantedManaged {
  const { kind, password, logins } = managed
  if (isDatabase(managed)) {
    const template = databaseTemplate({ rack, managed, places })
    const { admin } = databaseEngines[kind]!
    return { template, parameters: { Password: password }, admin, isEncrypted: true }
  }
  if (!Object.hasOwn(cacheEngines, kind)) throw unmanagedError(managed)
  const template = cacheTemplate({ rack, managed, places, logins })
  if (!cacheEngines[kind]!.family) return { template, parameters: {}, admin: '', isEncrypted: false }
  const own = logins.map((login) => [passwordOf(login.username), login.password])
  const parameters = { Password: password, ...Object.fromEntries(own) }
  return { template, parameters, admin: cacheAdmin, isEncrypted: true }
}
