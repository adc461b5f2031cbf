import type { Problems } from '../problems.ts'
import { interpolate, type Lookup, type Missing } from './interpolate.ts'
import type { Entry, Node, ScalarNode } from './tree.ts'

/** How much text variables may add to one file. */
const mostAddedText = 256 * 1024

export interface Variables {
  lookup: Lookup
  problems: Problems
  /** Lets `${V:?}` pass with a warning: the value may still come. */
  isLenient: boolean
  /** Text that variables added so far. */
  added: { length: number }
}

/** Fills the variables of every value in; positions stay, and so does the text that is shown in messages. */
export function interpolateTree<T extends Node>(node: T, variables: Variables): T {
  return fill(node, variables) as T
}

function fill(node: Node, variables: Variables): Node {
  if (node.kind === 'scalar') return fillScalar(node, variables)
  if (node.kind === 'list') return { ...node, items: node.items.map((item) => fill(item, variables)) }
  const entries = new Map<string, Entry>()
  for (const [name, entry] of node.entries)
    entries.set(name, { ...entry, value: fill(entry.value, variables) })
  return { ...node, entries }
}

function fillScalar(node: ScalarNode, variables: Variables): ScalarNode {
  const { value } = node
  if (typeof value !== 'string' || !value.includes('$')) return node
  if (variables.added.length > mostAddedText) return node
  const { text, missing, hasLoneDollar, fault } = interpolate(value, variables.lookup)
  if (fault !== null) {
    variables.problems.unreadable(node, fault, 'write `$$` for a dollar that is meant')
    return node
  }
  variables.added.length += Math.max(0, text.length - value.length)
  if (variables.added.length > mostAddedText) {
    variables.problems.error(node, 'the variables of the file expand to too much text')
    return node
  }
  if (hasLoneDollar)
    variables.problems.warn(node, 'a `$` that starts no variable is taken as it stands', {
      hint: 'write `$$` for a dollar that is meant',
      fix: { change: 'double-dollars' },
    })
  for (const one of missing) reportMissing(node, one, variables)
  const isIncomplete = variables.isLenient && missing.length > 0
  return { ...node, value: text, isQuoted: true, ...(isIncomplete ? { isIncomplete } : {}) }
}

function reportMissing(node: ScalarNode, { name, isRequired, message }: Missing, variables: Variables): void {
  const hint = `rack env set ${name}=…`
  if (!isRequired) {
    const plain = `the variable ${name} has no value; an empty text is used`
    return variables.problems.variable(node, 'warning', plain, hint)
  }
  const severity = variables.isLenient ? 'warning' : 'error'
  variables.problems.variable(
    node,
    severity,
    `the variable ${name} is required${message ? `: ${message}` : ''}`,
    hint,
  )
}
