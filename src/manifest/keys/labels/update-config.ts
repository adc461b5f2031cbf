import type { ProcessType } from '../../../domain/manifest.ts'
import { respelling } from '../../nearest.ts'
import type { Problems } from '../../problems.ts'
import { childOf, shown, type Node } from '../../syntax/tree.ts'
import { countOf } from '../resources.ts'
import { integerOf, textOf } from '../values/values.ts'

const orders = ['start-first', 'stop-first']

/**
 * The percents that `deploy.update_config` amounts to, or null when it says nothing of them. `parallelism` copies move
 * at a time, all of them when it is 0 or left out; without `order` new ones start first.
 */
export function updateConfigOf(service: Node, problems: Problems): ProcessType['deployment'] | null {
  const config = childOf(childOf(service, 'deploy'), 'update_config')
  const order = orderOf(childOf(config, 'order'), problems)
  const parallelism = integerOf(childOf(config, 'parallelism'), { min: 0, max: 10_000 }, problems)
  if (order === null && parallelism === null) return null
  const count = Math.max(1, countOf(service, problems))
  const moving = parallelism === null || parallelism === 0 ? count : Math.min(parallelism, count)
  const percent = Math.ceil((100 * moving) / count)
  return order === 'stop-first'
    ? { minimumPercent: 100 - percent, maximumPercent: 100, mayOverlap: percent < 100 }
    : { minimumPercent: 100, maximumPercent: 100 + percent, mayOverlap: order === 'start-first' }
}

function orderOf(node: Node | undefined, problems: Problems): string | null {
  const text = textOf(node, problems)
  if (node === undefined || text === null || orders.includes(text)) return text
  problems.error(node, `${shown(node)} is not an order`, () =>
    respelling(text, orders, 'use `start-first` or `stop-first`'),
  )
  return null
}
