import type { DBSnapshot } from '@aws-sdk/client-rds'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { settledStack } from '../../../aws/stack-state.ts'
import { ensureStack, removeStack } from '../../../aws/stacks.ts'
import { pages } from '../look/found.ts'
import { awsTags, ownerTag, readTags, serviceStackName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { databaseResource } from './database-template.ts'
import { databaseDeadlineMs } from './provision.ts'

/**
 * Takes a database away, once RDS has a last snapshot of it; gives that one's id, and null where there never was one. Safe
 * to repeat.
 */
export async function deprovisionDatabase(
  parts: AwsParts,
  service: string,
  control: Control,
): Promise<string | null> {
  const { clients, rack, intervals } = parts
  const options = {
    stacks: clients.stacks,
    intervalMs: intervals.stacks,
    deadlineMs: databaseDeadlineMs,
  }
  const name = serviceStackName(rack, service)
  const found = await settledStack(options, name, control)
  if (found !== null) {
    if (/^(CREATE|UPDATE|UPDATE_ROLLBACK)_COMPLETE$/.test(found.StackStatus ?? ''))
      await liftProtection(parts, service, options, control)
    await removeStack(options, name, control)
  }
  return await lastSnapshot(parts, service, control)
}

type Template = { Resources: Record<string, { Properties: Record<string, unknown> }> }

/** By the template that the stack stands by: an older rack may have made it. */
async function liftProtection(
  { clients, rack }: AwsParts,
  service: string,
  options: Parameters<typeof ensureStack>[0],
  control: Control,
): Promise<void> {
  const name = serviceStackName(rack, service)
  const { TemplateBody = '' } = await clients.stacks.getTemplate(
    { StackName: name },
    { abortSignal: control.signal },
  )
  const template = JSON.parse(TemplateBody) as Template
  const database = template.Resources[databaseResource]
  if (!database)
    throw new RackError('engine-failed', `the stack ${name} has no database: it was changed by hand`)
  database.Properties['DeletionProtection'] = false
  const parameters = { Password: null }
  const tags = awsTags({ rack, owner: ownerTag({ kind: 'service', name: service }) })
  await ensureStack(options, { name, template, parameters, tags }, control)
}

/** CloudFormation names it; by the tags that it has of its database it is known. */
async function lastSnapshot(
  { clients, rack }: AwsParts,
  service: string,
  { signal }: Control,
): Promise<string | null> {
  const list = async (Marker?: string) => {
    const input = { SnapshotType: 'manual', ...(Marker && { Marker }) }
    const answer = await clients.databases.describeDBSnapshots(input, { abortSignal: signal })
    return { items: answer.DBSnapshots ?? [], nextToken: answer.Marker }
  }
  const owner = ownerTag({ kind: 'service', name: service })
  const isOwn = ({ TagList = [] }: DBSnapshot) => {
    const tags = readTags(TagList.map(({ Key, Value }) => ({ key: Key, value: Value })))
    return tags.rack === rack && tags.owner === owner
  }
  const own = (await Array.fromAsync(pages(list))).filter(isOwn)
  const timeOf = ({ SnapshotCreateTime }: DBSnapshot) => SnapshotCreateTime?.getTime() ?? 0
  return own.toSorted((a, b) => timeOf(b) - timeOf(a))[0]?.DBSnapshotIdentifier ?? null
}
