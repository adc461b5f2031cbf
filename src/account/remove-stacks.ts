import type { Stack } from '@aws-sdk/client-cloudformation'
import { isAwsError } from '../aws/errors.ts'
import { isOwnStack, rackTag } from '../aws/own-stack.ts'
import { liftProtection } from '../aws/lift-protection.ts'
import type { KeptResource } from '../aws/stack-events.ts'
import type { StackOptions } from '../aws/stack-options.ts'
import { findResource } from '../aws/stack-resource.ts'
import { describeStack, removableStack } from '../aws/stack-state.ts'
import { removeStack } from '../aws/stacks.ts'
import { untilOver } from '../aws/until-over.ts'
import { isWebStackName, portsStackName } from '../domain/aws-places.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { removeApiCertificate } from './api-certificate.ts'
import { secretType } from './held-resources.ts'
import { baseStackName, rackStackName } from './installation-stacks.ts'
import { stackOptionsOf, type InstallationAccount } from './installation-account.ts'
import { snapshotType, storeSnapshots } from './store-snapshots.ts'
import { storeResource } from './templates/store.ts'

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
 * Removes the stacks of a rack whose apps and services are gone: those of further balancers, the rack's, then its base.
 * What holds data stays, the last snapshot of a store too, and is returned by name; with `data` it goes too, but for the
 * key, which the account deletes in thirty days, and a snapshot that RDS does not delete now. Safe to repeat.
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
  const options = stackOptionsOf(account)
  const further = await assertAlone(account, rack, control)
  for (const name of further) await removeStack(options, name, control)
  const ports = await describeStack(options, portsStackName(rack), control)
  // A rack of an earlier time may be called so.
  if (!ports || isOwnStack(rack, ports)) await removeStack(options, portsStackName(rack), control)
  const kept = await removeOwn(account, rack, control)
  await removeApiCertificate(account, rack, control)
  kept.push(...(await removeBase(account, rack, control)))
  kept.push(...held.filter(({ id }) => !kept.some((each) => each.id === id)))
  if (!data) return kept
  const left: KeptResource[] = []
  for (const resource of kept) {
    const isGone = await removeKept(account, resource, control)
    if (!isGone) left.push(resource)
  }
  return left
}

async function removeOwn(
  account: InstallationAccount,
  rack: string,
  control: Control,
): Promise<KeptResource[]> {
  const options = stackOptionsOf(account)
  const stack = rackStackName(rack)
  const found = await removableStack(options, stack, control)
  if (found) await unprotect(options, found, control)
  return await removeStack(options, stack, control)
}

/** Of one that is but a change set there is nothing to lift. */
async function unprotect(
  { stacks }: StackOptions,
  { StackName, StackStatus }: Stack,
  { signal }: Control,
): Promise<void> {
  if (StackStatus === 'REVIEW_IN_PROGRESS') return
  const order = { StackName, EnableTerminationProtection: false }
  await stacks.updateTerminationProtection(order, { abortSignal: signal })
}

/** The base, whatever state it is in, and of its store a last snapshot. */
async function removeBase(
  account: InstallationAccount,
  rack: string,
  control: Control,
): Promise<KeptResource[]> {
  const { clients } = account
  const options = stackOptionsOf(account)
  const stack = baseStackName(rack)
  // A database that is being made takes no change, and nothing that is being made lets go of its protection.
  const found = await removableStack(options, stack, control)
  if (!found) return []
  await unprotect(options, found, control)
  const { intervalMs } = options
  const named = { stack, resource: storeResource }
  const store = await findResource(clients.stacks, named, control)
  await liftProtection({ ...clients, ...named, intervalMs }, control)
  const kept = await removeStack(options, stack, control)
  return store === null ? kept : [...kept, ...(await storeSnapshots(account, store.id, control))]
}

/** Names of stacks of further balancers of the web, beside which there is none of an app or a service. */
async function assertAlone(
  { clients }: InstallationAccount,
  rack: string,
  { signal }: Control,
): Promise<string[]> {
  const own = new Set([baseStackName(rack), rackStackName(rack), portsStackName(rack)])
  const others: string[] = []
  const further: string[] = []
  let token: string | undefined
  do {
    const page = await clients.stacks.describeStacks(
      { ...(token && { NextToken: token }) },
      { abortSignal: signal },
    )
    for (const { StackName = '', Tags = [] } of page.Stacks ?? []) {
      const isOfRack = Tags.some(({ Key, Value }) => Key === rackTag && Value === rack)
      if (!isOfRack || own.has(StackName)) continue
      if (isWebStackName(rack, StackName)) further.push(StackName)
      else others.push(StackName)
    }
    token = page.NextToken
  } while (token)
  if (others.length === 0) return further
  throw new RackError('conflict', `the rack ${rack} still has ${others.join(', ')}`, {
    hint: 'Remove its apps and services first: rack apps, rack services',
    details: { stacks: others },
  })
}

/** What holds data, once its stack has let go of it: false where it stays for now. Others are not kept by our templates. */
async function removeKept(
  account: InstallationAccount,
  { type, id }: KeptResource,
  control: Control,
): Promise<boolean> {
  if (type === snapshotType) return await removeSnapshot(account, id, control)
  if (type === 'AWS::S3::Bucket') await removeBucket(account, id, control)
  else if (type === 'AWS::EFS::FileSystem') await removeFileSystem(account, id, control)
  else if (type === secretType) await removeSecret(account, id, control)
  else if (type === 'AWS::KMS::Key') await removeKey(account, id, control)
  return type !== 'AWS::KMS::Key'
}

async function removeSnapshot(
  { clients }: InstallationAccount,
  DBSnapshotIdentifier: string,
  { signal }: Control,
): Promise<boolean> {
  try {
    await clients.databases.deleteDBSnapshot({ DBSnapshotIdentifier }, { abortSignal: signal })
    return true
  } catch (error) {
    // D: one that RDS is at, or could not take, is not deleted.
    if (isAwsError(error, 'InvalidDBSnapshotStateFault', 'InvalidDBSnapshotState')) return false
    if (isAwsError(error, 'DBSnapshotNotFoundFault', 'DBSnapshotNotFound')) return true
    throw error
  }
}

/** At once: its name is of this installation alone, and what it opened goes with it. No harm where it is gone (D: DeleteSecret). */
async function removeSecret(
  { clients }: InstallationAccount,
  SecretId: string,
  { signal }: Control,
): Promise<void> {
  const order = { SecretId, ForceDeleteWithoutRecovery: true }
  await clients.secrets.deleteSecret(order, { abortSignal: signal })
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
