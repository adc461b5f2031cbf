import type { Tag } from '@aws-sdk/client-elastic-load-balancing-v2'
import { AwsError, type Action } from '../../fake-service.ts'
import type { ElbState } from '../state.ts'

/** Tags of one resource (D). */
const mostTags = 50
/** Resources of one DescribeTags (D). */
const mostDescribed = 20

/** Puts tags on something, beside those that it has. */
export function setTags(state: ElbState, arn: string, tags: Tag[] = []): void {
  const keys = tags.map(({ Key }) => Key)
  if (new Set(keys).size < keys.length)
    throw new AwsError('DuplicateTagKeysException', 'A tag key was specified more than once')
  const bad = tags.find(
    ({ Key = '', Value = '' }) => !/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u.test(Key) || Value.length > 256,
  )
  if (bad || keys.some((key) => key?.startsWith('aws:')))
    throw new AwsError('ValidationError', `Tag key '${bad?.Key}' is not valid`)
  const merged = new Map((state.tags.get(arn) ?? []).map((tag) => [tag.Key, tag]))
  for (const tag of tags) merged.set(tag.Key, tag)
  if (merged.size > mostTags)
    throw new AwsError('TooManyTagsException', `A resource can have up to ${mostTags} tags`)
  state.tags.set(arn, [...merged.values()])
}

export function tagActions(state: ElbState): Record<string, Action> {
  const assertAll = (arns: string[]) => {
    if (arns.length > mostDescribed)
      throw new AwsError('ValidationError', `Up to ${mostDescribed} resources can be named`)
    for (const arn of arns) assertThere(state, arn)
  }
  return {
    AddTags: async ({ ResourceArns, Tags }: { ResourceArns: string[]; Tags: Tag[] }) => {
      assertAll(ResourceArns)
      for (const arn of ResourceArns) setTags(state, arn, Tags)
      return {}
    },
    RemoveTags: async ({ ResourceArns, TagKeys }: { ResourceArns: string[]; TagKeys: string[] }) => {
      assertAll(ResourceArns)
      for (const arn of ResourceArns) {
        const left = (state.tags.get(arn) ?? []).filter(({ Key }) => !TagKeys.includes(Key!))
        state.tags.set(arn, left)
      }
      return {}
    },
    DescribeTags: async ({ ResourceArns }: { ResourceArns: string[] }) => {
      assertAll(ResourceArns)
      return {
        TagDescriptions: ResourceArns.map((arn) => ({ ResourceArn: arn, Tags: state.tags.get(arn) ?? [] })),
      }
    },
  }
}

/** The error names the kind of what is not there (D). */
function assertThere(state: ElbState, arn: string): void {
  const kinds = [
    { part: ':targetgroup/', has: () => state.groups.has(arn), error: 'TargetGroupNotFoundException' },
    { part: ':loadbalancer/', has: () => state.balancers.has(arn), error: 'LoadBalancerNotFoundException' },
    { part: ':listener/', has: () => state.listeners.has(arn), error: 'ListenerNotFoundException' },
    {
      part: ':listener-rule/',
      has: () => [...state.listeners.values()].some(({ rules }) => rules.has(arn)),
      error: 'RuleNotFoundException',
    },
  ]
  const kind = kinds.find(({ part }) => arn.includes(part))
  if (!kind) throw new AwsError('ValidationError', `'${arn}' is not a valid ARN`)
  if (!kind.has()) throw new AwsError(kind.error, `'${arn}' not found`)
}
