import type { Control } from '../../../domain/control.ts'
import type { Archive } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { TruncatedTarError, wholeTar } from '../../../lib/tar-watch.ts'
import type { DockerClient } from '../client.ts'
import type { FoundCopy } from '../containers/found-copy.ts'

/** A tar stream into a directory of a container, or out of it: a file or directory under its own name, `DIR/.` what is in it. */
export async function copyFiles(
  docker: DockerClient,
  { container, process: processId }: Pick<FoundCopy, 'container' | 'process'>,
  { path, archive }: { path: string; archive: Archive },
  control: Control,
): Promise<void> {
  const request = { path: `/containers/${container}/archive` }
  try {
    await refuseMemory(docker, container, path, control)
    if ('in' in archive) {
      const query = { path, noOverwriteDirNonDir: true }
      await docker.json({ ...request, query, method: 'PUT', upload: archive.in, deadlineMs: null }, control)
      return
    }
    const stream = await docker.stream({ ...request, query: { path } }, control)
    for await (const chunk of wholeTar(stream)) await archive.out(chunk)
  } catch (error) {
    throw explain(error, { path, process: processId })
  }
}

/** Docker reads and writes beside a file system in memory: what is put there would never be seen. */
async function refuseMemory(
  docker: DockerClient,
  container: string,
  path: string,
  control: Control,
): Promise<void> {
  const { HostConfig } = await docker.json<{ HostConfig: { Tmpfs?: Record<string, string> | null } }>(
    { path: `/containers/${container}/json` },
    control,
  )
  const places = Object.keys(HostConfig.Tmpfs ?? {}).map((place) => place.replace(/\/+$/, ''))
  const place = places.find((each) => path === each || path.startsWith(`${each}/`))
  if (place === undefined) return
  throw new RackError('unsupported', `${place} is a tmpfs: Docker copies nothing into or out of it`, {
    hint: `Let the process do it: tar c FILES | rack exec PROCESS tar x -C ${place}`,
  })
}

/** Docker says by status and words what was wrong with the path. */
function explain(error: unknown, { path, process: processId }: { path: string; process: string }): unknown {
  if (error instanceof TruncatedTarError) {
    return new RackError('engine-failed', `Docker Engine broke off the copy of ${path}`, { cause: error })
  }
  if (!(error instanceof RackError)) return error
  if (error.code === 'not-found')
    return new RackError('not-found', `no ${path} in the process ${processId}`, { cause: error })
  const { status } = (error.details ?? {}) as { status?: number }
  if (/read-only/i.test(error.message)) {
    return new RackError('conflict', `${path} of ${processId} is on a read-only file system`, {
      hint: 'Copy into one of its volumes.',
      cause: error,
    })
  }
  if (/not a directory|cannot overwrite/i.test(error.message)) {
    const what = /cannot overwrite/i.test(error.message)
      ? `in ${path} of ${processId} a directory and a file would replace each other`
      : `${path} of ${processId} is not a directory`
    return new RackError('conflict', what, { cause: error })
  }
  if (/processing tar file|archive\/tar|unexpected EOF/i.test(error.message)) {
    return new RackError('invalid', `what came for ${path} of ${processId} is no whole tar`, {
      hint: 'What came before its fault is there. Look at it with: tar t',
      cause: error,
    })
  }
  return status === 400 ? new RackError('invalid', error.message, { cause: error }) : error
}
