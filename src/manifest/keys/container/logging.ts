import type { Problems } from '../../problems.ts'
import { childOf, shown, type Node } from '../../syntax/tree.ts'
import { textOf } from '../values/values.ts'

/** Drivers that keep the lines where `rack logs` finds them as well. */
const local = new Set(['json-file', 'local', 'journald', 'db'])

/** The rack keeps the lines of every process; says so where the file means to send them elsewhere or to keep none. */
export function checkLogging(service: Node, problems: Problems): void {
  const node = childOf(childOf(service, 'logging'), 'driver') ?? childOf(service, 'log_driver')
  const driver = textOf(node, problems)
  if (!node || !driver || local.has(driver)) return
  const message =
    driver === 'none'
      ? 'the rack keeps the lines of every process, of this one too: `rack logs`'
      : `no lines are sent to ${shown(node)}: the rack keeps them, see \`rack logs\``
  problems.warn(node, message)
}
