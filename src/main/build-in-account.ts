import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Readable } from 'node:stream'
import { bucketVariable, ordersVariable } from '../aws/build-spec.ts'
import { createClients, type AwsClients } from '../aws/clients.ts'
import type { BuiltImages } from '../domain/build.ts'
import type { Control } from '../domain/control.ts'
import type { FileOwner, LaidContent } from '../domain/engine.ts'
import { RackError, codeOf } from '../domain/error.ts'
import { writeRecord, type BuildOrders, type BuildRecord } from '../engines/aws/images/build-orders.ts'
import { createOwnImages } from '../aws/registry/own-images.ts'
import { connectDocker } from '../engines/docker/client.ts'
import { dockerSocket } from '../lib/docker-socket.ts'
import { readTar } from '../lib/tar.ts'
import { tarHead, tarPadding } from '../lib/tar-blocks.ts'
import { createOwnBuilder } from './own-builder.ts'

type Unnumbered<R extends BuildRecord = BuildRecord> = R extends BuildRecord ? Omit<R, 'at'> : never

/** Carries out the orders of a build inside the account, as one machine would, and pushes what it made. */
async function main(): Promise<void> {
  let at = 0
  const say = (record: Unnumbered) => void process.stdout.write(`${writeRecord({ at: at++, ...record })}\n`)
  const ending = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => ending.abort(new RackError('cancelled', 'the build was stopped')))
  }
  const control: Control = {
    signal: ending.signal,
    report: (progress) => say({ says: 'progress', progress }),
  }
  const directory = await mkdtemp(join(tmpdir(), 'rack-build-'))
  const clients = createClients(accessOf(process.env))
  try {
    say({ says: 'done', images: await carryOut({ clients, directory }, control) })
  } catch (error) {
    const known = error instanceof RackError ? error : null
    const message = known?.message ?? `the build itself failed: ${String(error)}`
    const [hint, details] = [known?.hint ?? null, known?.details ?? null]
    say({ says: 'failed', code: codeOf(error), message, hint, details })
    process.exitCode = 1
  } finally {
    clients.close()
    await rm(directory, { recursive: true, force: true })
  }
}

function accessOf({ AWS_REGION: region = '', AWS_ENDPOINT_URL: endpoint }: NodeJS.ProcessEnv) {
  return { region, ...(endpoint && { endpoint }) }
}

interface Place {
  clients: AwsClients
  directory: string
}

async function carryOut(place: Place, control: Control): Promise<BuiltImages> {
  const { clients } = place
  const orders = await readOrders(place, control)
  const { rack } = orders
  const docker = connectDocker({ socketPath: dockerSocket(process.env) })
  const source = await fetchObject(place, orders.source, control)
  const images = await Promise.all(
    orders.images.map(async ({ laid, ...image }) => ({
      ...image,
      laid: await Promise.all(
        laid.map(async ({ key, ...content }): Promise<LaidContent> => {
          const path = await fetchObject(place, key, control)
          return { ...content, open: (owner) => entriesOf(path, owner) }
        }),
      ),
    })),
  )
  const login = await createOwnImages(clients.images).login(control.signal)
  const content = () => createReadStream(source) as AsyncIterable<Uint8Array>
  const build = createOwnBuilder({ docker, rack, isAlone: false })
  return await build({ ...orders, images, source: content }, login, control)
}

async function readOrders({ clients }: Place, { signal }: Control): Promise<BuildOrders> {
  const { [bucketVariable]: Bucket, [ordersVariable]: Key } = process.env
  const { Body } = await clients.objects.getObject({ Bucket, Key }, { abortSignal: signal })
  return JSON.parse(await Body!.transformToString()) as BuildOrders
}

/** Gives the path of a file with what is in the object. */
async function fetchObject({ clients, directory }: Place, Key: string, { signal }: Control): Promise<string> {
  const Bucket = process.env[bucketVariable]
  const { Body } = await clients.objects.getObject({ Bucket, Key }, { abortSignal: signal })
  const path = join(directory, Key.replaceAll('/', '-'))
  await pipeline(Body as Readable, createWriteStream(path), { signal })
  return path
}

/** The entries of a tar for another owner, without the end of a tar. */
async function* entriesOf(path: string, owner: FileOwner): AsyncGenerator<Uint8Array> {
  for await (const { header, content } of readTar(createReadStream(path) as AsyncIterable<Uint8Array>)) {
    const { name, type, mode, size, mtime, linkname } = header
    if (type !== 'file' && type !== 'directory' && type !== 'symlink') continue
    const modified = mtime ?? new Date(0)
    yield tarHead({ name, type, mode, size, modified, ...owner, ...(linkname && { linkname }) })
    yield* content
    yield tarPadding(size)
  }
}

await main()
// What is written to a pipe is written before the program ends.
if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain')
