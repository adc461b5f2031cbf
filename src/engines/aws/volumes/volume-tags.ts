import { RackError } from '../../../domain/error.ts'
import type { TagName } from '../names.ts'

/** The tags that names of volumes go into, one after another. */
const names = [
  'volumes',
  'volumes2',
  'volumes3',
  'volumes4',
  'volumes5',
  'volumes6',
] as const satisfies TagName[]

/** What a value of a tag of ECS can have (S). */
const longest = 256

type Tags = Partial<Record<TagName, string>>

/** The volumes of a type or a one-off as tags. @throws unsupported where their names fill more tags than there are */
export function volumeTags(type: string, volumes: readonly string[]): Tags {
  const values: string[] = []
  for (const volume of volumes) {
    const last = values.at(-1)
    const joined = last === undefined ? volume : `${last} ${volume}`
    if (last !== undefined && joined.length <= longest) values[values.length - 1] = joined
    else values.push(volume)
  }
  if (values.length > names.length || values.some((value) => value.length > longest)) {
    throw new RackError('unsupported', `${type}: the names of its volumes are too long for an AWS account`, {
      hint: `Give them shorter names: ${names.length} tags of ${longest} characters hold them`,
    })
  }
  return Object.fromEntries(values.map((value, index) => [names[index]!, value]))
}

/** Reads what `volumeTags` wrote. */
export function readVolumeTags(tags: Tags): string[] {
  return names.flatMap((name) => tags[name]?.split(' ') ?? [])
}
