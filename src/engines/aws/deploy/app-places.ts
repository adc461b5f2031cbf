import type { Control } from '../../../domain/control.ts'
import type { Owner } from '../../../domain/owner.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { ensureStack } from '../../../aws/stacks.ts'
import { appTemplate, logDays } from '../definition/app-template.ts'
import type { AppPlaces } from '../definition/task-definition.ts'
import { appStackName, awsTags, logGroupName, ownerTag } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { ownStackOptions, stackTurn } from '../own-stacks.ts'

/** What an owner's tasks stand on, made or brought up to date where it is not so. */
export async function ensureApp(
  parts: AwsParts,
  { owner, accessPoints }: { owner: Owner; accessPoints: string[] },
  control: Pick<Control, 'signal'>,
): Promise<AppPlaces> {
  const { rack, places } = parts
  const template = appTemplate({ rack, owner, places, accessPoints: accessPoints.toSorted() })
  const tags = awsTags({ rack, owner: ownerTag(owner) })
  const wanted = { name: appStackName(rack, owner), template, tags }
  const options = ownStackOptions(parts)
  // A deploy, one-offs and who looks into volumes want it at the same time.
  using _turn = await stackTurn(parts, wanted.name).acquire(control.signal)
  const outputs = await ensureStack(options, wanted, control)
  await ensureLogGroup(parts, owner, tags, control)
  const { SecurityGroup = '', ExecutionRole = '', TaskRole = '' } = outputs
  return { securityGroup: SecurityGroup, executionRole: ExecutionRole, taskRole: TaskRole }
}

/** Its stack does not see that somebody has deleted it, and no task starts without. */
async function ensureLogGroup(
  { clients, rack }: AwsParts,
  owner: Owner,
  tags: { Key: string; Value: string }[],
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const name = logGroupName(rack, owner)
  const byKey = Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]))
  try {
    await clients.logs.createLogGroup({ logGroupName: name, tags: byKey }, { abortSignal: signal })
  } catch (error) {
    if (isAwsError(error, 'ResourceAlreadyExistsException')) return
    throw error
  }
  const retention = { logGroupName: name, retentionInDays: logDays }
  await clients.logs.putRetentionPolicy(retention, { abortSignal: signal })
}
