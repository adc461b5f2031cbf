import { isAwsError } from '../aws/errors.ts'
import { isOwnStack, rackTag } from '../aws/own-stack.ts'
import { liftProtection } from '../aws/lift-protection.ts'
import type { KeptResource } from '../aws/stack-events.ts'
import { describeStack } from '../aws/stack-state.ts'
import { removeStack } from '../aws/stacks.ts'
import { untilOver } from '../aws/until-over.ts'
import { portsStackName } from '../domain/aws-places.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { removeApiCertificate } from './api-certificate.ts'
import { baseStackName, rackStackName } from './installation-stacks.ts'
import { storeResource, storeTag } from './templates/store.ts'
import { tagsOf } from './templates/template.ts'
import { stackOptionsOf, type InstallationAccount } from './installation-account.ts'

export interface LeavingRack {
  rack: string
  /** Whether what holds data goes too. */
  data: boolean
  /** What its base left, where that is known already: a base that went at an earlier try does not say it again. */
  held?: readonly KeptResource[]
}

/** Days until a key is gone for good: so long what it has closed can still be opened. */
const keyLifeDays = 30

/**
 * Removes the stacks of a rack whose apps and services are gone: the rack's, then its base. What holds data stays, the
 * last snapshot of a store too, and is returned by name; with `data` it goes too, but for the key, which the account deletes in thirty days. Safe to repeat.
 *
 * @throws conflict while stacks of apps or services are there: without the rack they could not be taken off any more
 * @throws engine-failed with what does not go and why
 * @throws timeout for a stack that takes too long to go, or a file system that is still in use
 */
export async function removeStacks(
  account: InstallationAccount,
  { rack, data, held = [] }: LeavingRack,
  control: Control,
): Promise<KeptResource[]> {
  const { clients } = account
  const options = stackOptionsOf(account)
  await assertAlone(account, rack, control)
  const ports = await describeStack(options, portsStackName(rack), control)
  // A rack of an earlier time may be called so.
  if (!ports || isOwnStack(rack, ports)) await removeStack(options, portsStackName(rack), control)
  const kept = await removeStack(options, rackStackName(rack), control)
  await removeApiCertificate(account, rack, control)
  const base = baseStackName(rack)
  if (await describeStack(options, base, control)) {
    await options.stacks.updateTerminationProtection(
      { StackName: base, EnableTerminationProtection: false },
      { abortSignal: control.signal },
    )
    const resource = { stack: base, resource: storeResource }
    await liftProtection({ ...clients, ...resource }, control)
  }
  kept.push(...(await removeStack(options, base, control)))
  kept.push(...(await storeSnapshots(account, rack, control)))
  kept.push(...held.filter(({ id }) => !kept.some((each) => each.id === id)))
  if (!data) return kept
  for (const resource of kept) await removeKept(account, resource, control)
  return kept.filter(({ type }) => type === 'AWS::KMS::Key')
}

async function assertAlone(
  { clients }: InstallationAccount,
  rack: string,
  { signal }: Control,
): Promise<void> {
  const own = new Set([baseStackName(rack), rackStackName(rack), portsStackName(rack)])
  const others: string[] = []
  let token: string | undefined
  do {
    const page = await clients.stacks.describeStacks(
      { ...(token && { NextToken: token }) },
      { abortSignal: signal },
    )
    for (const { StackName = '', Tags = [] } of page.Stacks ?? []) {
      const isOfRack = Tags.some(({ Key, Value }) => Key === rackTag && Value === rack)
      if (isOfRack && !own.has(StackName)) others.push(StackName)
    }
    token = page.NextToken
  } while (token)
  if (others.length === 0) return
  throw new RackError('conflict', `the rack ${rack} still has ${others.join(', ')}`, {
    hint: 'Remove its apps and services first: rack apps, rack services',
    details: { stacks: others },
  })
}

/** What holds data, once its stack has let go of it. Others are not kept by our templates. */
async function removeKept(
  account: InstallationAccount,
  { type, id }: KeptResource,
  control: Control,
): Promise<void> {
  if (type === 'AWS::S3::Bucket') await removeBucket(account, id, control)
  else if (type === 'AWS::EFS::FileSystem') await removeFileSystem(account, id, control)
  else if (type === snapshotType) await removeSnapshot(account, id, control)
  else if (type === 'AWS::KMS::Key') await removeKey(account, id, control)
}

const snapshotType = 'AWS::RDS::DBSnapshot'

/** What the stores of a daemon inside have left, of earlier installations of the name too. */
async function storeSnapshots(
  { clients }: InstallationAccount,
  rack: string,
  { signal }: Control,
): Promise<KeptResource[]> {
  const wanted = tagsOf(rack, storeTag)
  const found: KeptResource[] = []
  let marker: string | undefined
  do {
    const page = await clients.databases.describeDBSnapshots(
      { SnapshotType: 'manual', ...(marker && { Marker: marker }) },
      { abortSignal: signal },
    )
    for (const { DBSnapshotIdentifier: id = '', TagList = [] } of page.DBSnapshots ?? []) {
      const isOwn = wanted.every((tag) =>
        TagList.some(({ Key, Value }) => Key === tag.Key && Value === tag.Value),
      )
      if (isOwn) found.push({ type: snapshotType, id })
    }
    marker = page.Marker
  } while (marker)
  return found
}

async function removeSnapshot(
  { clients }: InstallationAccount,
  DBSnapshotIdentifier: string,
  { signal }: Control,
): Promise<void> {
  try {
    await clients.databases.deleteDBSnapshot({ DBSnapshotIdentifier }, { abortSignal: signal })
  } catch (error) {
    if (!isAwsError(error, 'DBSnapshotNotFoundFault', 'DBSnapshotNotFound')) throw error
  }
}

async function removeKey({ keys }: InstallationAccount, KeyId: string, { signal }: Control): Promise<void> {
  try {
    await keys.scheduleKeyDeletion({ KeyId, PendingWindowInDays: keyLifeDays }, { abortSignal: signal })
  } catch (error) {
    // Its days have begun, or are over.
    if (!isAwsError(error, 'KMSInvalidStateException', 'NotFoundException')) throw error
  }
}

async function removeBucket(
  { clients }: InstallationAccount,
  Bucket: string,
  { signal }: Control,
): Promise<void> {
  const abort = { abortSignal: signal }
  try {
    for (;;) {
      const { Contents = [] } = await clients.objects.listObjectsV2({ Bucket }, abort)
      if (Contents.length === 0) break
      for (const { Key } of Contents) await clients.objects.deleteObject({ Bucket, Key }, abort)
    }
    await clients.objects.deleteBucket({ Bucket }, abort)
  } catch (error) {
    if (!isAwsError(error, 'NoSuchBucket')) throw error
  }
}

const mountsDeadlineMs = 300_000

/** Its mount targets went with the stack, though they may still be seen for a while. */
async function removeFileSystem(
  { clients, intervalMs = 3000 }: InstallationAccount,
  FileSystemId: string,
  { signal }: Control,
): Promise<void> {
  const remove = async () => {
    try {
      await clients.files.deleteFileSystem({ FileSystemId }, { abortSignal: signal })
      return true
    } catch (error) {
      if (isAwsError(error, 'FileSystemNotFound')) return true
      if (isAwsError(error, 'FileSystemInUse')) return false
      throw error
    }
  }
  const what = `the file system ${FileSystemId} to be let go`
  await untilOver(remove, { intervalMs, deadlineMs: mountsDeadlineMs, what, signal })
}
