import type { Build } from '../domain/build.ts'
import type { Control, Progress } from '../domain/control.ts'
import type { ManifestSource } from '../domain/manifest.ts'
import type { Context } from './context.ts'
import { findKeptSource } from './kept-sources.ts'
import type { BuildUpload } from './operations.ts'
import { readManifestSource } from './source-upload.ts'
import { mergedSource, sourceTooLarge, wholeSource, type UploadedSource } from './uploaded-source.ts'

/** What a build is made of: its manifest as it was sent, and the source directory. */
export interface BuildInput {
  manifest: ManifestSource
  content: UploadedSource
}

/** Where that comes from. */
export interface InputOrigin {
  /** Takes what a caller sends; the build goes on without the caller when it settles. */
  take(build: Build, control: Control): Promise<void>
  open(build: Build, control: Control): Promise<BuildInput>
  /** Gives back what `take` took. Safe to repeat. */
  leave(build: Build): Promise<void>
}

/** An upload, which lies among the objects while the build runs. */
export function uploadOrigin(
  context: Context,
  { content, base }: Pick<BuildUpload, 'content' | 'base'>,
): InputOrigin {
  const { objects, rack } = context
  return {
    async take(build, control) {
      const began = context.now()
      const phase = { type: 'phase', phase: 'upload' } as const
      control.report({ ...phase, state: 'started', time: began.toISOString() })
      await objects.put(sourceKey(build), limitBytes(content, rack.maxSourceBytes), control)
      const ended = context.now()
      const ms = ended.getTime() - began.getTime()
      control.report({ ...phase, state: 'ended', ms, time: ended.toISOString() })
    },
    async open(build, control) {
      const manifest = await readManifestSource(objects.get(sourceKey(build)))
      return { manifest, content: await openUpload(context, build, base ?? null, control) }
    },
    leave: async (build) => await objects.remove(sourceKey(build)),
  }
}

/** The source of an upload, and of the kept one that it stands on. */
async function openUpload(
  context: Context,
  build: Build,
  base: string | null,
  control: Control,
): Promise<UploadedSource> {
  const upload = () => context.objects.get(sourceKey(build))
  if (base === null) return wholeSource(upload)
  const known = await findKeptSource(context, build.app, base)
  const source = await mergedSource(upload, known, context.rack.maxSourceBytes)
  control.report(say(`${source.unchanged} files of the source were here already`))
  return source
}

/** A line of a build's log. */
export function say(text: string): Progress {
  return { type: 'log', text, time: new Date().toISOString() }
}

async function* limitBytes(content: AsyncIterable<Uint8Array>, maxBytes: number): AsyncIterable<Uint8Array> {
  let bytes = 0
  for await (const chunk of content) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw sourceTooLarge(maxBytes)
    yield chunk
  }
}

function sourceKey({ app, id }: Build): string {
  return `sources/${app}/${id}.tar`
}
