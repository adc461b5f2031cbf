import { createHash } from 'node:crypto'
import type { BuiltImage } from '../../../domain/build.ts'
import type { Control } from '../../../domain/control.ts'
import type { BuildRequest, FileOwner, ImageRequest, LaidContent } from '../../../domain/engine.ts'
import { maskText, type Environment } from '../../../domain/environment.ts'
import { RackError } from '../../../domain/error.ts'
import { plainBuild, type BuildSpec } from '../../../domain/manifest.ts'
import { tarEnd, tarHead, tarPadding } from '../../../lib/tar-blocks.ts'
import type { DockerClient } from '../client.ts'
import { buildOne } from './build-one.ts'
import { readImage } from './image-config.ts'
import { noLines } from './named-stages.ts'
import { imageTag } from './images.ts'
import { lookIntoImage, type ImageFacts } from './look-into-image.ts'
import { withoutTriggers } from './without-triggers.ts'

/** An image that is there, and what is to lie over it. */
export interface Laying {
  docker: DockerClient
  rack: string
  request: BuildRequest
  image: ImageRequest
  base: BuiltImage
  /** A name of the image that is there. */
  baseTag: string
  /** The name that the new image gets. */
  tag: string
}

const root: FileOwner = { uid: 0, gid: 0 }

/**
 * Lays content of the source over an image, in one layer of its own. It belongs to root, or to the user of the image
 * where what the image has at the path does.
 * @throws build-failed where a volume is to be mounted at a file of the image; disk-full; cancelled
 */
export async function layContent(laying: Laying, control: Control): Promise<BuiltImage> {
  const { docker, rack, request, image, base } = laying
  const { laid = [], folders = [] } = image
  const asked = [...folders, ...(isRoot(base.user) ? [] : laid)].map(({ path }) => path)
  const what = { rack, app: request.app, image: base.reference, user: base.user }
  const facts = await lookIntoImage(docker, what, asked, control)
  refuseFiles(image, facts, request.environment)
  if (laid.length === 0) return base
  const parts = laid.map((content): LaidPart => ({ content, owner: facts.ownerOf(content.path) ?? root }))
  const [type = ''] = image.processes
  const plain = imageTag({ rack, app: request.app, type: `plain.${type}`, build: request.build })
  const baseTag = await withoutTriggers(docker, what, { baseTag: laying.baseTag, tag: plain }, control)
  const own = { ...laying, baseTag }
  const built = await buildOne({ ...own, ...buildOf(own, await layerOf(parts)), say: nothing }, control)
  const { pulled } = base
  return { ...readImage(built), digest: digestOf(base, laid), ...(pulled !== undefined && { pulled }) }
}

function nothing(): void {}

function isRoot(user: string | null): boolean {
  return user === null || /^(root|0)(:|$)/.test(user)
}

function refuseFiles(
  { processes, folders = [] }: ImageRequest,
  facts: ImageFacts,
  environment: Environment,
): void {
  const clash = folders.find(({ path }) => facts.isFile(path))
  if (!clash) return
  const path = maskText(clash.path, environment)
  const source = maskText(clash.source, environment)
  throw new RackError(
    'build-failed',
    `${processes.join(', ')}: ${path} is a file of the image, and the source has no file ${source} to take its place`,
    {
      hint: `Add ${source} to the source; is it excluded from the upload? Or remove the mount.`,
      details: { processes, step: null, line: null, exitCode: null, tail: [] },
    },
  )
}

/** What is laid, whoever made the image of it: so copies stay while neither of the two is another. */
function digestOf({ digest }: BuiltImage, laid: LaidContent[]): string {
  const seen = laid.filter(({ isFilling }) => !isFilling)
  if (seen.length === 0) return digest
  const parts = seen.map(({ path, isOver, digest: content }) => [path, isOver, content])
  return `sha256:${createHash('sha256')
    .update(JSON.stringify([digest, parts]))
    .digest('hex')}`
}

interface LaidPart {
  content: LaidContent
  owner: FileOwner
}

/** A tar within the tar of a build, whose length has to be known first. */
interface Layer {
  bytes: number
  open(): AsyncIterable<Uint8Array>
}

async function layerOf(parts: LaidPart[]): Promise<Layer> {
  const open = () => layerTar(parts)
  let bytes = 0
  for await (const chunk of open()) bytes += chunk.length
  return { bytes, open }
}

async function* layerTar(parts: LaidPart[]): AsyncGenerator<Uint8Array> {
  for (const { content, owner } of parts) {
    const { path, holds, isOver } = content
    // Unpacked, a file takes the place of a folder with all that is in it, and the folder that follows that of the file.
    if (holds === 'folder' && !isOver)
      yield tarHead({ name: `.${path}`, type: 'file', mode: 0o644, size: 0, modified: new Date(0) })
    yield* content.open(owner)
  }
  yield tarEnd()
}

const layerName = 'content.tar'
const dockerfile = 'Dockerfile'

function buildOf({ baseTag, request }: Laying, layer: Layer) {
  const text = `FROM ${baseTag}\nADD ${layerName} /\n`
  const context = { dockerfile, dockerfileText: text, added: noLines, open: () => contextTar(text, layer) }
  const spec: BuildSpec = { ...plainBuild, network: 'none', inline: text }
  return { spec, context, request: { ...request, environment: {} } }
}

async function* contextTar(text: string, layer: Layer): AsyncGenerator<Uint8Array> {
  const of = (name: string, size: number) =>
    tarHead({ name, type: 'file', mode: 0o644, size, modified: new Date(0) })
  yield of(dockerfile, Buffer.byteLength(text))
  yield Buffer.from(text)
  yield tarPadding(Buffer.byteLength(text))
  yield of(layerName, layer.bytes)
  yield* layer.open()
  yield tarPadding(layer.bytes)
  yield tarEnd()
}
