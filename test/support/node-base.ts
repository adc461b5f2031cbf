import { execFile } from 'node:child_process'
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { deriveImage } from '../../src/aws/registry/derive-image.ts'
import type { LayerEntry } from '../../src/aws/registry/layer.ts'
import { makeImage } from '../../src/aws/registry/make-image.ts'
import { platform } from '../../src/aws/registry/own-images.ts'
import { nameOf } from '../../src/aws/registry/place.ts'
import { createRegistry } from '../../src/aws/registry/registry.ts'
import { startDockerRegistry } from './docker-registry.ts'

/** A registry that anybody may ask, with an image of this machine's Node: what a daemon in an account stands on. */
export interface NodeBase extends AsyncDisposable {
  /** Its name by digest. */
  image: string
  /** The same with a Node that does not run. @returns its name by digest */
  withoutProgram(): Promise<string>
}

const repository = 'library/node'

/** Not Docker's `node`: to pack that takes a busy machine half a minute. */
export async function startNodeBase(): Promise<NodeBase> {
  await using undo = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'rack-node-base-'))
  undo.defer(async () => await rm(directory, { recursive: true, force: true }))
  const { host } = undo.use(await startDockerRegistry({ directory, ready: 200 }))
  const registry = createRegistry({ host, account: async () => null })
  const image = { platform, entries: await nodeEntries(), entrypoint: ['node'], command: [] }
  const { digest } = await makeImage({ registry, repository }, image, AbortSignal.timeout(60_000))
  const stack = undo.move()
  return {
    image: nameOf({ host, repository }, digest),
    async withoutProgram() {
      const from = { registry, repository, reference: digest, platform }
      const what = { content: Buffer.from('no program') }
      const files = [{ path: '/usr/local/bin/node', mode: 0o755, uid: 0, gid: 0, what }]
      const to = { registry, repository }
      const derived = await deriveImage(from, to, { files, stopSignal: null }, AbortSignal.timeout(60_000))
      return nameOf({ host, repository }, derived.digest)
    },
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  }
}

/** The program, what it is linked with, and a folder for what does not last. */
async function nodeEntries(): Promise<LayerEntry[]> {
  const owner = { uid: 0, gid: 0 }
  const program = await realpath(process.execPath)
  const { stdout } = await promisify(execFile)('ldd', [program])
  const libraries = [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path!)
  const files = [program, ...libraries].map(async (from): Promise<LayerEntry> => {
    const path = from === program ? '/usr/local/bin/node' : from
    return { path, type: 'file', mode: 0o755, ...owner, content: await readFile(from) }
  })
  const tmp = { path: '/tmp', type: 'directory', mode: 0o1777, ...owner, modified: new Date(0) } as const
  return [tmp, ...(await Promise.all(files))]
}
