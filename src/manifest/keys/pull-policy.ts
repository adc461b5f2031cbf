import type { PullPolicy } from '../../domain/manifest.ts'
import type { Problems } from '../problems.ts'
import { childOf, shown, type Node } from '../syntax/tree.ts'
import { textOf } from './values/values.ts'

const policies: Record<string, PullPolicy | null> = {
  always: 'always',
  missing: 'missing',
  if_not_present: 'missing',
  never: 'never',
  // What has a `build` is built each time.
  build: null,
  // Images are asked for at each build, and stay between builds.
  daily: null,
  weekly: null,
  refresh: null,
}

/** When a build asks the registry for an image; null asks each time, and takes what is here where it does not answer. */
export function pullPolicyOf(service: Node, problems: Problems): PullPolicy | null {
  const node = childOf(service, 'pull_policy')
  const text = textOf(node, problems)
  if (!node || !text || /^every_(\d+[wdhms])+$/.test(text)) return null
  if (!Object.hasOwn(policies, text)) {
    problems.error(node, `${shown(node)} is no pull policy`, 'write `always`, `missing` or `never`')
    return null
  }
  if (text === 'build' && childOf(service, 'build') === undefined)
    problems.error(node, '`pull_policy: build` stands without `build`', 'write `build: .`, or remove it')
  return policies[text] ?? null
}
