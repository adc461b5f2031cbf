import type { Reply } from '../../client/client-types.ts'
import { describeResources } from '../../domain/describe-resources.ts'
import { unseenText } from '../../domain/unseen-variables.ts'

type Diff = Reply<'diffReleases'>

/** Says which variables have no effect before the next build; nothing where there is none. */
export function atBuildText(names: string[]): string[] {
  if (names.length === 0) return []
  const [verb, what] = names.length === 1 ? ['is', 'it'] : ['are', 'them']
  return [
    `${names.join(', ')} ${verb} read when the app is built: rack builds rebuild, or rack deploy, to have ${what}`,
  ]
}

/** A diff of two releases as text. */
export function describeDiff(diff: Diff): string {
  const { from, to, environment, links, processes, restarts, surge, unheard } = diff
  const variables = [
    ...environment.added.map((name) => `  + ${name}`),
    ...environment.changed.map((name) => `  ~ ${name}`),
    ...environment.removed.map((name) => `  - ${name}`),
  ]
  const types = processes.flatMap(({ type, change, fields }) => [
    `  ${{ added: '+', removed: '-', changed: '~' }[change]} ${type}`,
    ...fields.map(({ name, from, to }) => `      ${name}: ${from ?? '–'} → ${to ?? '–'}`),
  ])
  const linked = links.map(({ alias, from, to }) => `  ${alias}: ${from ?? '–'} → ${to ?? '–'}`)
  const isSame = variables.length + linked.length + types.length + unheard.length === 0
  const lines = [
    `${from} → ${to}`,
    ...(variables.length > 0 ? ['environment', ...variables] : []),
    ...atBuildText(environment.atBuild),
    ...unseenText(environment.unseen),
    ...(linked.length > 0 ? ['links', ...linked] : []),
    ...(types.length > 0 ? ['processes', ...types] : []),
    ...(isSame ? ['no difference'] : []),
    ...unheard.map(({ text }) => text),
    restarts.length > 0
      ? `a promote would replace ${restarts.join(', ')}`
      : 'a promote would replace nothing',
    ...(restarts.length > 0 ? [`and need ${describeResources(surge)} more while it rolls`] : []),
  ]
  return `${lines.join('\n')}\n`
}
