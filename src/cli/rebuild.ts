import type { Client } from '../client/client-types.ts'
import { RackError } from '../domain/error.ts'
import type { Cancel, Following } from './follow.ts'
import type { Built } from './output/promoted.ts'

interface Rebuild {
  app: string
  build: string
  description?: string | undefined
  noCache?: boolean
}

/** Builds again from the source that the rack keeps of a build; an interrupt cancels it. */
export async function rebuild(
  client: Client,
  following: Following,
  { app, build, ...query }: Rebuild,
): Promise<Built> {
  const lines = client.rebuildApp({ params: { app, build }, query })
  return { app, ...(await following.follow(lines, cancelOfBuild(client, app))) }
}

/** The build says its id as it begins; before that there is nothing to end but the upload. */
export function cancelOfBuild(client: Client, app: string): Cancel {
  let build: string | null = null
  return {
    what: 'the build',
    onProgress(progress) {
      if (progress.type === 'phase' && progress.phase === 'build' && progress.state === 'started') {
        build ??= progress.detail ?? null
      }
    },
    async call() {
      if (build !== null) return await client.cancelBuild({ params: { app, build } })
      throw new RackError('cancelled', 'cancelled before the build had begun; nothing was made')
    },
  }
}
