import { childOf } from '../syntax/tree.ts'
import type { Across } from './across.ts'

/** Says of a value for `PORT` that it is never seen: where a process has ports, the variable is the first of them. */
export function tellOfPortVariable({ processes, problems }: Across): void {
  for (const { type, entry } of processes) {
    const own = type.environment.find(({ name }) => name === 'PORT')?.value
    const port = type.ports[0]?.container
    if (own === undefined || own === null || port === undefined || own === String(port)) continue
    problems.warn(
      childOf(entry.value, 'environment') ?? childOf(entry.value, 'env_file') ?? entry.key,
      `PORT is set by the rack to ${port}, the first port of the process; this value is never seen`,
      `name the port on which it listens first under \`ports:\`, or choose another name`,
    )
  }
}
