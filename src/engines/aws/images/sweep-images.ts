import type { ImageDetail } from '@aws-sdk/client-ecr'
import type { Control } from '../../../domain/control.ts'
import type { Keep } from '../../../domain/engine.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { nameOf } from '../../../aws/registry/place.ts'
import { findGenerations, findTasks, pages } from '../look/found.ts'
import { repositoryName } from '../names.ts'
import type { AwsParts } from '../parts.ts'

/** What a build or a deploy has just put there, nobody names yet. */
const restMs = 24 * 3600_000
/** As many as one call takes. */
const mostDeleted = 100

/**
 * Deletes images of owners that stay, which nothing names and no task is made from, and what ended builds were given.
 * @param nowMs what is younger than a day then stays
 */
export async function sweepImages(
  parts: AwsParts,
  { keep, nowMs = Date.now() }: { keep: Pick<Keep, 'owners' | 'images'>; nowMs?: number },
  control: Pick<Control, 'signal'>,
): Promise<{ images: number; bytes: number }> {
  const { host } = await parts.images.registry(control.signal)
  const named = new Set([...keep.images, ...(await imagesInUse(parts, control))])
  const swept = { images: 0, bytes: 0 }
  for (const owner of keep.owners) {
    const repository = repositoryName(parts.rack, owner)
    const found = await imagesOf(parts, repository, control)
    const gone = found.filter(({ imageDigest = '', imagePushedAt }) => {
      const isOld = (imagePushedAt?.getTime() ?? nowMs) < nowMs - restMs
      return isOld && !named.has(nameOf({ host, repository }, imageDigest))
    })
    await deleteImages(parts, repository, gone, control)
    swept.images += gone.length
    swept.bytes += gone.reduce((total, { imageSizeInBytes = 0 }) => total + imageSizeInBytes, 0)
  }
  await sweepSources(parts, nowMs, control)
  return swept
}

/** All images of a repository; none where it is not there. */
export async function imagesOf(
  { clients }: Pick<AwsParts, 'clients'>,
  repositoryName: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<ImageDetail[]> {
  const list = async (nextToken?: string) => {
    const input = { repositoryName, ...(nextToken && { nextToken }) }
    const answer = await clients.images.describeImages(input, { abortSignal: signal })
    return { items: answer.imageDetails ?? [], nextToken: answer.nextToken }
  }
  try {
    return await Array.fromAsync(pages(list))
  } catch (error) {
    if (isAwsError(error, 'RepositoryNotFoundException')) return []
    throw error
  }
}

export async function deleteImages(
  { clients }: Pick<AwsParts, 'clients'>,
  repositoryName: string,
  images: ImageDetail[],
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const digests = images.flatMap(({ imageDigest }) => (imageDigest ? [{ imageDigest }] : []))
  for (let at = 0; at < digests.length; at += mostDeleted) {
    const imageIds = digests.slice(at, at + mostDeleted)
    await clients.images.batchDeleteImage({ repositoryName, imageIds }, { abortSignal: signal })
  }
}

/** What services and tasks are made from: derived images too, which no build names. */
async function imagesInUse(parts: AwsParts, control: Pick<Control, 'signal'>): Promise<string[]> {
  const generations = await findGenerations(parts, {}, control)
  const tasks = await findTasks(parts, {}, control)
  const definitions = new Set([
    ...generations.map(({ service }) => service.taskDefinition),
    ...tasks.map(({ task }) => task.taskDefinitionArn),
  ])
  const images: string[] = []
  for (const taskDefinition of definitions) {
    if (!taskDefinition) continue
    const answer = await parts.clients.ecs.describeTaskDefinition(
      { taskDefinition },
      { abortSignal: control.signal },
    )
    const { containerDefinitions = [] } = answer.taskDefinition ?? {}
    images.push(...containerDefinitions.flatMap(({ image }) => image ?? []))
  }
  return images
}

/** A daemon that died in a build has left what the build was given, logins among it. */
async function sweepSources(
  { clients, places: { bucket } }: AwsParts,
  nowMs: number,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const list = async (ContinuationToken?: string) => {
    const input = { Bucket: bucket, Prefix: 'sources/', ...(ContinuationToken && { ContinuationToken }) }
    const answer = await clients.objects.listObjectsV2(input, { abortSignal: signal })
    return { items: answer.Contents ?? [], nextToken: answer.NextContinuationToken }
  }
  for (const { Key, LastModified } of await Array.fromAsync(pages(list))) {
    if ((LastModified?.getTime() ?? nowMs) > nowMs - restMs) continue
    await clients.objects.deleteObject({ Bucket: bucket, Key }, { abortSignal: signal })
  }
}
