import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GitContext } from '../../domain/git-context.ts'
import { RackError } from '../../domain/error.ts'
import { fetchRepository } from './git-repository.ts'
import type { LocalManifest } from './read-manifest-source.ts'
import type { SourceDirectory } from './walk-source.ts'

/** Repositories that a compose file builds, while they are sent; they are gone afterwards. */
export interface FetchedContexts extends SourceDirectory, AsyncDisposable {}

/** A file is somebody's text: it leads to no program, and to no file of this machine. */
const protocols = 'https:http:git:ssh'

/**
 * Fetches what the builds of a compose file take from repositories, each where the source has it; null where there is none.
 * @throws invalid for one that cannot be fetched
 */
export async function fetchContexts(
  { repositories, fetchedBuilds }: LocalManifest,
  onFetch: (repository: GitContext) => void,
): Promise<FetchedContexts | null> {
  if (repositories.length === 0) return null
  const directory = await mkdtemp(join(tmpdir(), 'rack-contexts-'))
  const dispose = async () => await rm(directory, { recursive: true, force: true })
  try {
    for (const repository of repositories) {
      onFetch(repository)
      await fetchRepository(join(directory, repository.place), { ...repository, protocols })
    }
    return { directory, contexts: fetchedBuilds, secrets: [], binds: [], [Symbol.asyncDispose]: dispose }
  } catch (cause) {
    await dispose()
    const addresses = repositories.map(({ url, ref }) => `${url}${ref && `#${ref}`}`).join(', ')
    throw new RackError('invalid', `${addresses} cannot be fetched: ${(cause as Error).message}`, {
      hint: 'git of this machine fetches what `build:` names, by its own keys: try git ls-remote URL',
      cause,
    })
  }
}
