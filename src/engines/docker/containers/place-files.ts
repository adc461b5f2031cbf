import { posix } from 'node:path'
import type { FileMount } from '../../../domain/container.ts'
import { RackError } from '../../../domain/error.ts'
import { placeOfItsOwn } from '../../../domain/file-places.ts'
import { tarEnd, tarHead, tarPadding } from '../../../lib/tar-blocks.ts'
import type { DockerClient } from '../client.ts'
import { isNotFound } from '../errors.ts'

type Signalled = { signal: AbortSignal }

/**
 * Puts the files of a type into a container that has not been started. Directories that are there stay as they are, a
 * link to one is followed; those that are missing are root's.
 *
 * @throws unsupported where something of the image is in the way
 */
export async function placeFiles(
  docker: DockerClient,
  container: string,
  files: FileMount[],
  control: Signalled,
): Promise<void> {
  const path = `/containers/${container}/archive`
  for (const [directory, own] of Map.groupBy(files, (file) => posix.dirname(file.path))) {
    const base = await nearestDirectory(docker, path, directory, control)
    const upload = archiveOf(base, directory, own)
    const query = { path: base, noOverwriteDirNonDir: true }
    await docker.json({ method: 'PUT', path, query, upload }, control).catch((error: unknown) => {
      throw refusalOf(error, own)
    })
  }
}

/** What the image has there is the engine's to know: a directory of that name, or a file in the way. */
function refusalOf(error: unknown, files: FileMount[]): unknown {
  if (!(error instanceof RackError && error.code === 'engine-failed')) return error
  const places = files.map(({ kind, name, path }) => `the ${kind} ${name} at ${path}`).join(', ')
  const [first] = files
  return new RackError('unsupported', `the image leaves no room for ${places}: ${error.message}`, {
    hint: first && `Give it a target in a directory of its own, such as ${placeOfItsOwn(first)}.`,
    cause: error,
  })
}

/** The directory itself, or the nearest above it that the container has. */
async function nearestDirectory(
  docker: DockerClient,
  path: string,
  directory: string,
  control: Signalled,
): Promise<string> {
  let candidate = directory
  while (candidate !== '/' && !(await exists(docker, path, candidate, control))) {
    candidate = posix.dirname(candidate)
  }
  return candidate
}

async function exists(
  docker: DockerClient,
  path: string,
  within: string,
  control: Signalled,
): Promise<boolean> {
  try {
    const head = await docker.stream({ method: 'HEAD', path, query: { path: within } }, control)
    head.resume()
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

/** A tar of the files and of the directories between, as seen from a directory that is there. */
async function* archiveOf(base: string, directory: string, files: FileMount[]): AsyncGenerator<Buffer> {
  const modified = new Date()
  const between = posix.relative(base, directory)
  // Docker takes a stream for a compressed one by its first bytes, which a name alone could be.
  let name = '.'
  for (const part of between === '' ? [] : between.split('/')) {
    name = `${name}/${part}`
    yield tarHead({ name, type: 'directory', mode: 0o755, size: 0, modified })
  }
  for (const { path, content, mode, uid, gid } of files) {
    const bytes = Buffer.from(content, 'base64')
    const own = `${name}/${posix.basename(path)}`
    yield tarHead({ name: own, type: 'file', mode, uid, gid, size: bytes.length, modified })
    yield bytes
    yield tarPadding(bytes.length)
  }
  yield tarEnd()
}
