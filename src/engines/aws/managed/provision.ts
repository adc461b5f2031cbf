import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { unmanagedError, type ManagedService, type ServiceAddress } from '../../../domain/service.ts'
import { describeStack } from '../../../aws/stack-state.ts'
import { ensureStack } from '../../../aws/stacks.ts'
import { awsTags, ownerTag, serviceStackName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { assertOwn } from './own-stack.ts'
import { databaseAdmin, databaseEngines, databaseTemplate } from './database-template.ts'
import { ownStackOptions } from '../own-stacks.ts'

/** RDS takes five to twenty minutes for a database, and as long again for its last snapshot (J). */
export const databaseDeadlineMs = 45 * 60_000

/**
 * Has RDS run a database: a stack, which is found again by its name. Safe to repeat with the same password.
 * @throws unsupported for another kind; invalid for more than RDS has
 */
export async function provisionDatabase(
  parts: AwsParts,
  managed: ManagedService,
  control: Control,
): Promise<ServiceAddress> {
  const { rack, places } = parts
  const { name, kind, password } = managed
  if (!Object.hasOwn(databaseEngines, kind)) throw unmanagedError(managed)
  const stack = serviceStackName(rack, name)
  const options = ownStackOptions(parts, databaseDeadlineMs)
  const there = await describeStack(options, stack, control)
  if (there) assertOwn(rack, there)
  const { Host, Port } = await ensureStack(
    options,
    {
      name: stack,
      template: databaseTemplate({ rack, managed, places }),
      parameters: { Password: password },
      tags: awsTags({ rack, owner: ownerTag({ kind: 'service', name }) }),
    },
    control,
  )
  if (Host === undefined || Port === undefined)
    throw new RackError('engine-failed', `the stack ${stack} does not say where its database is`)
  return { scheme: kind, host: Host, port: Number(Port), path: '', username: databaseAdmin, password }
}
