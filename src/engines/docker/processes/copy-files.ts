import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { DockerClient } from '../client.ts'
import { isNotFound } from '../errors.ts'
import type { FoundCopy } from '../containers/found-copy.ts'

export type Archive = { in: AsyncIterable<Uint8Array> } | { out: (chunk: Uint8Array) => Promise<void> }

/** A tar stream into a directory of a container, or out of a file or directory of it. */
export async function copyFiles(
  docker: DockerClient,
  { container, process }: FoundCopy,
  { path, archive }: { path: string; archive: Archive },
  control: Control,
): Promise<void> {
  const request = { path: `/containers/${container}/archive`, query: { path } }
  try {
    if ('in' in archive) {
      await docker.json({ ...request, method: 'PUT', upload: archive.in, deadlineMs: null }, control)
      return
    }
    const stream = await docker.stream(
      { ...request, query: { path: await entriesOf(docker, request, control) } },
      control,
    )
    for await (const chunk of stream) await archive.out(chunk as Uint8Array)
  } catch (error) {
    if (!isNotFound(error)) throw error
    throw new RackError('not-found', `no ${path} in the process ${process}`, { cause: error })
  }
}

/** A directory gives its entries, without its own name before each; a file gives itself. */
async function entriesOf(
  docker: DockerClient,
  request: { path: string; query: { path: string } },
  control: Control,
): Promise<string> {
  const { path } = request.query
  const head = await docker.stream({ ...request, method: 'HEAD' }, control)
  head.resume()
  const stat = Buffer.from(String(head.headers['x-docker-container-path-stat'] ?? ''), 'base64').toString(
    'utf8',
  )
  const { mode } = JSON.parse(stat) as { mode: number }
  // Go's mode: the highest of 32 bits is the directory's.
  return mode >= 2 ** 31 ? `${path.replace(/\/+$/, '')}/.` : path
}
