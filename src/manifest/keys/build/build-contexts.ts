import type { NamedContext } from '../../../domain/manifest.ts'
import { fromAbove, baseOf, isRemote, joinInside } from '../../paths.ts'
import type { Problems } from '../../problems.ts'
import { childOf, shownPart, type Node } from '../../syntax/tree.ts'
import { processNameOf } from '../process-name.ts'
import type { Placed } from '../relations.ts'
import { pairsOf, type Pair } from '../values/values.ts'
import { isImageName } from './build.ts'

/** What a stage of a Dockerfile may be called. */
const stageName = /^[a-z][a-z0-9._-]*$/i

/** `build.additional_contexts`: what the Dockerfile may name in `FROM` and `--from`, by those names. */
export function namedContextsOf(service: Node, problems: Problems): Placed<NamedContext>[] {
  const pairs = pairsOf(childOf(childOf(service, 'build'), 'additional_contexts'), problems)
  const found = pairs.flatMap((pair) => {
    const value = contextOf(pair, problems)
    return value ? [{ value, at: pair.at }] : []
  })
  return [...new Map(found.map((context) => [context.value.name, context])).values()]
}

function contextOf({ name, value, at }: Pair, problems: Problems): NamedContext | null {
  const refuse = (message: string, hint: string): null => {
    problems.error(at, `the context ${shownPart(at, name)} ${message}`, hint)
    return null
  }
  if (!stageName.test(name))
    return refuse(
      'cannot be named so',
      'use letters, digits, dots and dashes, as for a stage; write the image itself into `FROM`',
    )
  if (!value) return refuse('leads nowhere', 'write a folder, `docker-image://NAME` or `service:NAME`')
  const image = /^docker-image:\/\/(.*)$/.exec(value)?.[1]
  if (image !== undefined) {
    return isImageName(image)
      ? { name, image }
      : refuse('is no name of an image', 'write `docker-image://name:tag`')
  }
  const process = /^service:(.*)$/.exec(value)?.[1]
  if (process !== undefined) return { name, process: processNameOf(process) }
  if (isRemote(value) || /^(oci-layout|target):/.test(value))
    return refuse('is no folder, image or process', 'put the files into the source, or make an image of them')
  const folder = joinInside(baseOf(at), value)
  return folder === null
    ? refuse(
        'lies outside of the source directory',
        `use a path below the compose file${fromAbove(at, value)}`,
      )
    : { name, folder }
}
