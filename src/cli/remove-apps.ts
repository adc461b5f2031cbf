import type { Client, StreamLine } from '../client/client-types.ts'
import { RackError } from '../domain/error.ts'
import { mapBounded } from '../lib/semaphore.ts'
import { snapshotOf } from './end-service.ts'
import type { Following } from './follow.ts'

/** Each one's processes have their grace to end in: one app after the other takes minutes. */
const mostAtOnce = 8

/** Deletes every app of a rack, locked or changing, some at a time; tells each one's end. */
export async function removeApps(
  client: Client,
  { volumes }: { volumes: boolean },
  following: Following,
): Promise<void> {
  const apps = await client.listApps()
  let deleted = 0
  await mapBounded(apps, mostAtOnce, async ({ name: app, locked }) => {
    if (locked) await client.unlockApp({ params: { app } })
    await endChange(client, app)
    const lines = withoutPhases(client.deleteApp({ params: { app }, query: { volumes, unlink: true } }))
    await following.follow(lines, { what: `the removal of ${app}`, call: null })
    deleted += 1
    following.note(`${app} is deleted (${deleted} of ${apps.length})`)
  })
}

/** Deletes every service of a rack; to be called when no app links one any more. */
export async function removeServices(
  client: Client,
  { volumes }: { volumes: boolean },
  following: Following,
): Promise<void> {
  for (const { service, consumer } of await client.listShares()) {
    await client.unshareService({ params: { service }, query: { consumer } })
    following.note(`${service} is not shared with ${consumer} any more`)
  }
  for (const { name: service } of await client.listServices()) {
    const lines = client.deleteService({ params: { service }, query: { volumes } })
    const what = `the deletion of ${service}`
    const snapshot = snapshotOf(await following.follow(lines, { what, call: null }))
    const kept = snapshot === null ? '' : `; the account keeps its last snapshot: ${snapshot}`
    following.note(`the service ${service} is deleted${kept}`)
  }
}

/** Phases of several apps at once have the same names. */
async function* withoutPhases<Result>(
  lines: AsyncIterable<StreamLine<Result>>,
): AsyncGenerator<StreamLine<Result>> {
  for await (const line of lines) if (line.type !== 'phase') yield line
}

async function endChange(client: Client, app: string): Promise<void> {
  try {
    await client.cancelApp({ params: { app } })
  } catch (error) {
    // Nothing was changing.
    if (!(error instanceof RackError && error.code === 'conflict')) throw error
  }
}
