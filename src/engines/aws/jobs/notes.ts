import type { Control } from '../../../domain/control.ts'
import type { Owner } from '../../../domain/owner.ts'
import { pages } from '../look/found.ts'
import { completedKey, completedPrefix } from '../names.ts'
import type { AwsParts } from '../parts.ts'

/** A job that has ended well, kept in the bucket: ECS forgets a task within the hour. */
export interface CompletedJob {
  process: string
  type: string
  release: string
  identity: string
  createdMs: number
}

export async function noteCompleted(
  { clients, places }: AwsParts,
  owner: Owner,
  job: CompletedJob,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const key = completedKey(owner, `${job.identity}/${job.process}`)
  const input = { Bucket: places.bucket, Key: key, Body: JSON.stringify(job) }
  await clients.objects.putObject(input, { abortSignal: signal })
}

export async function findCompleted(
  parts: AwsParts,
  owner: Owner,
  control: Pick<Control, 'signal'>,
): Promise<CompletedJob[]> {
  const found: CompletedJob[] = []
  for await (const key of keysOf(parts, owner, control)) {
    const input = { Bucket: parts.places.bucket, Key: key }
    const { Body } = await parts.clients.objects.getObject(input, { abortSignal: control.signal })
    if (Body) found.push(JSON.parse(await Body.transformToString()) as CompletedJob)
  }
  return found
}

/** Forgets one, or all of an owner. Safe to repeat. */
export async function forgetCompleted(
  parts: AwsParts,
  owner: Owner,
  job: Pick<CompletedJob, 'identity' | 'process'> | null,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const keys = job
    ? [completedKey(owner, `${job.identity}/${job.process}`)]
    : await Array.fromAsync(keysOf(parts, owner, control))
  for (const Key of keys) {
    const input = { Bucket: parts.places.bucket, Key }
    await parts.clients.objects.deleteObject(input, { abortSignal: control.signal })
  }
}

function keysOf({ clients, places }: AwsParts, owner: Owner, { signal }: Pick<Control, 'signal'>) {
  return pages(async (nextToken?: string) => {
    const input = {
      Bucket: places.bucket,
      Prefix: completedPrefix(owner),
      ...(nextToken && { ContinuationToken: nextToken }),
    }
    const answer = await clients.objects.listObjectsV2(input, { abortSignal: signal })
    const items = (answer.Contents ?? []).flatMap(({ Key }) => (Key ? [Key] : []))
    return { items, nextToken: answer.NextContinuationToken }
  })
}
