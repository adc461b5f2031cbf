import { BlockList, isIPv6 } from 'node:net'
import type { Match, Rule } from '../state.ts'

/** What rules look at. */
export interface Asked {
  /** As in the Host header, with or without a port. */
  host: string
  /** Path and query. */
  url: string
  address: string
}

/** The rule that answers: the one of the lowest priority that matches; the default one matches everything. */
export function ruleFor(
  rules: Iterable<Pick<Rule, 'priority' | 'match' | 'step'>>,
  asked: Asked,
): Rule['step'] | null {
  const inOrder = [...rules].sort((a, b) => a.priority - b.priority)
  return inOrder.find(({ match }) => isMatch(match, asked))?.step ?? null
}

function isMatch({ hosts, paths, sources }: Match, { host, url, address }: Asked): boolean {
  // Host names are compared without their port and without case, paths without the query and with case (D).
  const name = host.replace(/:\d+$/, '').toLowerCase()
  const path = url.split('?', 1)[0]!
  return (
    (!hosts || hosts.some((pattern) => fits(name, pattern.toLowerCase()))) &&
    (!paths || paths.some((pattern) => fits(path, pattern))) &&
    (!sources || sources.some((range) => isWithin(address, range)))
  )
}

/** `*` is any number of characters, `?` is one (D). */
function fits(text: string, pattern: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's').test(text)
}

export function isWithin(address: string, range: string): boolean {
  const plain = address.replace(/^::ffff:/, '')
  const [base = '', bits = ''] = range.split('/')
  if (isIPv6(base) !== isIPv6(plain)) return false
  const list = new BlockList()
  const family = isIPv6(base) ? 'ipv6' : 'ipv4'
  list.addSubnet(base, Number(bits), family)
  return list.check(plain, family)
}
