import { isAwsError } from '../aws/errors.ts'
import { keptResources, nameInEvents, type KeptResource } from '../aws/stack-events.ts'
import { describeStack } from '../aws/stack-state.ts'
import type { Control } from '../domain/control.ts'
import { stackOptionsOf, type InstallationAccount } from './installation-account.ts'
import { secretType } from './held-resources.ts'
import { baseStackName } from './installation-stacks.ts'
import { snapshotType, storeSnapshots } from './store-snapshots.ts'
import { storeResource } from './templates/store.ts'

/**
 * What the last base of a rack left when it went, as the account tells for ninety days, also the snapshots of its store;
 * some of it may be gone since.
 * Nothing while there is a base of that name, whatever its state: an earlier one's data is none of that one's.
 */
export async function leftResources(
  account: InstallationAccount,
  rack: string,
  control: Pick<Control, 'signal'>,
): Promise<KeptResource[]> {
  const options = stackOptionsOf(account)
  if (await describeStack(options, baseStackName(rack), control)) return []
  const id = await findGone(account, baseStackName(rack), control)
  if (id === null) return []
  const store = await nameInEvents(options, { id, resource: storeResource }, control)
  const snapshots = store === null ? [] : await storeSnapshots(account, store, control)
  return [...(await keptResources(options, id, control)), ...snapshots]
}

/** The id of the newest stack of a name that is gone. */
async function findGone(
  { clients: { stacks } }: InstallationAccount,
  name: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<string | null> {
  let newest: { id: string; time: number } | null = null
  let token: string | undefined
  do {
    const page = await stacks.listStacks(
      { StackStatusFilter: ['DELETE_COMPLETE'], ...(token && { NextToken: token }) },
      { abortSignal: signal },
    )
    for (const { StackName, StackId = '', DeletionTime } of page.StackSummaries ?? []) {
      const time = DeletionTime?.getTime() ?? 0
      if (StackName === name && (!newest || time > newest.time)) newest = { id: StackId, time }
    }
    token = page.NextToken
  } while (token)
  return newest?.id ?? null
}

/** Those of them in which data is still there. Keys are not asked for: alone they hold none. */
export async function withData(
  { clients: { objects, files, secrets } }: InstallationAccount,
  left: readonly KeptResource[],
  { signal: abortSignal }: Pick<Control, 'signal'>,
): Promise<KeptResource[]> {
  const isThere = async ({ type, id }: KeptResource): Promise<boolean> => {
    try {
      if (type === 'AWS::S3::Bucket') await objects.listObjectsV2({ Bucket: id, MaxKeys: 1 }, { abortSignal })
      else if (type === 'AWS::EFS::FileSystem')
        await files.describeAccessPoints({ FileSystemId: id, MaxResults: 1 }, { abortSignal })
      else if (type === secretType)
        return !(await secrets.describeSecret({ SecretId: id }, { abortSignal })).DeletedDate
      // It was there a moment ago: it is found by being looked for.
      else return type === snapshotType
      return true
    } catch (error) {
      if (isAwsError(error, 'NoSuchBucket', 'FileSystemNotFound', 'ResourceNotFoundException')) return false
      throw error
    }
  }
  const found = await Promise.all(left.map(async (each) => ((await isThere(each)) ? each : null)))
  return found.filter((each) => each !== null)
}
