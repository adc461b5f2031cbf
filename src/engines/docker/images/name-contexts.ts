import type { Control } from '../../../domain/control.ts'
import { plainBuild } from '../../../domain/manifest.ts'
import { folderContext, type BuildTexts } from './build-context.ts'
import { buildOne, type OneBuild } from './build-one.ts'
import { imageTag } from './images.ts'
import type { NamedStage } from './named-stages.ts'

/** What a build stands on beside its source. */
interface Beside {
  /** The name of a process's image, without what is laid over it; those of processes that the build names are made. */
  tagOf: (process: string) => string
  texts: BuildTexts
}

/** Gives the further contexts of a build an image each: a folder becomes one here. @throws as `buildOne` */
export async function nameContexts(
  one: Omit<OneBuild, 'context'>,
  { tagOf, texts }: Beside,
  control: Control,
): Promise<NamedStage[]> {
  const { rack, request, image, spec } = one
  const [type = ''] = image.processes
  const stages: NamedStage[] = []
  for (const [index, context] of spec.contexts.entries()) {
    const { name } = context
    if ('image' in context) stages.push({ name, image: context.image })
    else if ('process' in context) stages.push({ name, image: tagOf(context.process) })
    else {
      const own = `context${index}.${type}`
      const tag = imageTag({ rack, app: request.app, type: own, build: request.build })
      const content = folderContext(() => request.source(), context.folder, texts)
      await buildOne({ ...one, spec: plainBuild, context: content, tag, say: () => undefined }, control)
      stages.push({ name, image: tag })
    }
  }
  return stages
}
