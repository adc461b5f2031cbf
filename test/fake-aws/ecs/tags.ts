import type {
  ListTagsForResourceRequest,
  Tag,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-ecs'
import type { Action } from '../fake-service.ts'
import { invalid } from './refusals.ts'
import type { EcsState } from './state.ts'

const mostTags = 50
const longestKey = 128
const longestValue = 256
/** Letters, numbers, spaces and `+ - = . _ : / @` (D). */
const allowed = /^[\p{L}\p{N}\s+\-=._:/@]*$/u

/** @throws AwsError InvalidParameterException by the rules of ECS's API reference (D) */
export function checkedTags(tags: Tag[] | undefined): Tag[] {
  const given = (tags ?? []).map(({ key = '', value = '' }) => ({ key, value }))
  if (given.length > mostTags) throw invalid(`Tags can not contain more than ${mostTags} entries.`)
  if (new Set(given.map(({ key }) => key)).size < given.length) throw invalid('Duplicate tag keys found.')
  for (const { key, value } of given) {
    if (key.length < 1 || key.length > longestKey) throw invalid(`Tag key '${key}' has an invalid length.`)
    if (value.length > longestValue) throw invalid(`The value of tag '${key}' is too long.`)
    if (/^aws:/i.test(key)) throw invalid(`Tag key '${key}' begins with the reserved prefix aws:`)
    if (!allowed.test(key) || !allowed.test(value)) throw invalid(`Tag '${key}' has invalid characters.`)
  }
  return given
}

/** Tags are a record's own list, which these change in place. */
export function createTagActions(state: EcsState): Record<string, Action> {
  const tagsOf = (arn: string): Tag[] => {
    const found = state.services.get(arn) ?? state.tasks.get(arn) ?? state.definitions.get(arn)
    if (!found) throw invalid('The specified resource could not be found.')
    return found.tags
  }
  return {
    async TagResource({ resourceArn, tags }: TagResourceRequest) {
      const own = tagsOf(resourceArn!)
      const added = checkedTags(tags)
      const keys = new Set(added.map(({ key }) => key))
      const merged = checkedTags([...own.filter(({ key }) => !keys.has(key)), ...added])
      own.splice(0, own.length, ...merged)
      return await Promise.resolve({})
    },
    async UntagResource({ resourceArn, tagKeys }: UntagResourceRequest) {
      const own = tagsOf(resourceArn!)
      const kept = own.filter(({ key }) => !tagKeys!.includes(key!))
      own.splice(0, own.length, ...kept)
      return await Promise.resolve({})
    },
    async ListTagsForResource({ resourceArn }: ListTagsForResourceRequest) {
      return await Promise.resolve({ tags: [...tagsOf(resourceArn!)] })
    },
  }
}
