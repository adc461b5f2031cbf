import type { Reply } from '../../client/client-types.ts'
import { describe } from './admission.ts'

type Diff = Reply<'diffReleases'>

/** A diff of two releases as text. */
export function describeDiff({ from, to, environment, processes, restarts, surge }: Diff): string {
  const variables = [
    ...environment.added.map((name) => `  + ${name}`),
    ...environment.changed.map((name) => `  ~ ${name}`),
    ...environment.removed.map((name) => `  - ${name}`),
  ]
  const types = processes.flatMap(({ type, change, fields }) => [
    `  ${{ added: '+', removed: '-', changed: '~' }[change]} ${type}`,
    ...fields.map(({ name, from, to }) => `      ${name}: ${from ?? '–'} → ${to ?? '–'}`),
  ])
  const lines = [
    `${from} → ${to}`,
    ...(variables.length > 0 ? ['environment', ...variables] : []),
    ...(types.length > 0 ? ['processes', ...types] : []),
    ...(variables.length + types.length === 0 ? ['no difference'] : []),
    restarts.length > 0
      ? `a promote would replace ${restarts.join(', ')}`
      : 'a promote would replace nothing',
    ...(restarts.length > 0 ? [`and need ${describe(surge)} more while it rolls`] : []),
  ]
  return `${lines.join('\n')}\n`
}
