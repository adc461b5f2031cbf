import { posix } from 'node:path'
import type { FileMount } from '../../../domain/container.ts'
import { tarEnd, tarHead, tarPadding } from '../../../lib/tar-blocks.ts'
import type { DockerClient } from '../client.ts'
import { isNotFound } from '../errors.ts'

type Signalled = { signal: AbortSignal }

/**
 * Puts the files of a type into a container that has not been started. Directories that are there stay as they are, a
 * link to one is followed; those that are missing are root's.
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
    await docker.json({ method: 'PUT', path, query, upload }, control)
  }
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
