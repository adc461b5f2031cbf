import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { unmanagedError, type ManagedService, type ServiceAddress } from '../../../domain/service.ts'
import { describeStack } from '../../../aws/stack-state.ts'
import { ensureStack } from '../../../aws/stacks.ts'
import { awsTags, ownerTag, serviceStackName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { assertOwn } from './own-stack.ts'
import { cacheAdmin, cacheEngines, cacheTemplate, passwordOf } from './cache-template.ts'
import { databaseEngines, databaseTemplate } from './database-template.ts'
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
  const options = ownStackOptions(parts, managedDeadlineMs)
  const there = await describeStack(options, stack, control)
  if (there) assertOwn(rack, there)
  const { Host, Port } = await ensureStack(
    options,
    {
      name: stack,
      template: wanted.template,
      parameters: wanted.parameters,
      tags: awsTags({ rack, owner: ownerTag({ kind: 'service', name }) }),
    },
    control,
  )
  if (Host === undefined || Port === undefined)
    throw new RackError('engine-failed', `the stack ${stack} does not say where its ${kind} is`)
  return { scheme: kind, host: Host, port: Number(Port), path: '', username: wanted.admin, password }
}

interface WantedManaged {
  template: object
  parameters: Record<string, string>
  admin: string
}

function wantedOf({ rack, places }: AwsParts, managed: ManagedService): WantedManaged {
  const { kind, password, logins } = managed
  if (Object.hasOwn(databaseEngines, kind)) {
    const template = databaseTemplate({ rack, managed, places })
    return { template, parameters: { Password: password }, admin: databaseEngines[kind]!.admin }
  }
  if (!Object.hasOwn(cacheEngines, kind)) throw unmanagedError(managed)
  const template = cacheTemplate({ rack, managed, places, logins })
  if (!cacheEngines[kind]!.family) return { template, parameters: {}, admin: '' }
  const own = logins.map((login) => [passwordOf(login.username), login.password])
  return { template, parameters: { Password: password, ...Object.fromEntries(own) }, admin: cacheAdmin }
}
