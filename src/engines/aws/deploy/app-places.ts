import type { Control } from '../../../domain/control.ts'
import type { Owner } from '../../../domain/owner.ts'
import { ensureStack } from '../../../aws/stacks.ts'
import { appTemplate } from '../definition/app-template.ts'
import type { AppPlaces } from '../definition/task-definition.ts'
import { appStackName, awsTags, ownerTag } from '../names.ts'
import type { AwsParts } from '../parts.ts'

/** What an owner's tasks stand on, made or brought up to date where it is not so. */
export async function ensureApp(
  parts: AwsParts,
  { owner, accessPoints }: { owner: Owner; accessPoints: string[] },
  control: Pick<Control, 'signal'>,
): Promise<AppPlaces> {
  const { clients, rack, places, intervals } = parts
  const template = appTemplate({ rack, owner, places, accessPoints: accessPoints.toSorted() })
  const tags = awsTags({ rack, owner: ownerTag(owner) })
  const wanted = { name: appStackName(rack, owner), template, tags }
  const outputs = await ensureStack({ stacks: clients.stacks, intervalMs: intervals.stacks }, wanted, control)
  const { SecurityGroup = '', ExecutionRole = '', TaskRole = '' } = outputs
  return { securityGroup: SecurityGroup, executionRole: ExecutionRole, taskRole: TaskRole }
}
