import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AwsClients } from '../aws/clients.ts'
import { imageDigest, makeImage, type MadeImage } from '../aws/registry/make-image.ts'
import { createOwnImages, platform } from '../aws/registry/own-images.ts'
import { nameOf } from '../aws/registry/place.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { isMissing } from '../lib/missing.ts'

/** The tool's program, beside the programs of a build. */
export const toolFile = 'rack-tool-linux-amd64'

/**
 * Puts the image of the tool into the rack's repository, where tasks have it from; the same program has the same reference.
 * @throws not-found where this build of Rack has no tool
 */
export async function ensureToolImage(
  { clients, repository }: { clients: Pick<AwsClients, 'images'>; repository: string },
  { signal, report }: Control,
): Promise<string> {
  const image = await readToolImage()
  report({ type: 'log', text: 'the tool that prepares tasks …', time: new Date().toISOString() })
  const registry = await createOwnImages(clients.images).registry(signal)
  const { digest } = await makeImage({ registry, repository }, image, signal)
  return nameOf({ host: registry.host, repository }, digest)
}

/** The reference that `ensureToolImage` would give in the repository of another one. Nothing is put there. */
export async function toolImageBeside(reference: string): Promise<string> {
  return `${reference.slice(0, reference.indexOf('@'))}@${imageDigest(await readToolImage())}`
}

async function readToolImage(): Promise<MadeImage> {
  const content = await readTool()
  return {
    platform,
    entries: [{ path: '/rack', type: 'file', mode: 0o755, uid: 0, gid: 0, content }],
    entrypoint: ['/rack'],
    command: ['init'],
  }
}

/** @throws not-found where this build of Rack has no tool */
export async function readTool(): Promise<Uint8Array> {
  const directory = import.meta.filename.endsWith('.ts') ? '../../dist' : '.'
  const path = join(import.meta.dirname, directory, toolFile)
  try {
    return await readFile(path)
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new RackError('not-found', `${path} is missing: the tool that prepares tasks is not built`, {
      hint: 'In the clone of Rack, with Go 1.19 or newer: npm run build:tool',
      cause: error,
    })
  }
}
