import { isAlias, isMap, isScalar, isSeq, type Alias } from 'yaml'
import type { Position } from '../../domain/manifest.ts'
import type { Problems } from '../problems.ts'
import { didYouMean } from '../nearest.ts'

interface Pass {
  anchors: Map<string, unknown>
  /** Anchors whose value is being read: an alias to one would hold itself. */
  open: Set<unknown>
  targets: Map<Alias, unknown>
  report: (alias: Alias, message: string, hint?: () => string | undefined) => void
}

/** What the library can nest; our own limit is far below. */
const deepestPass = 2000

/**
 * Finds the value of every alias in one pass in document order, as YAML asks: the last anchor of that name before it.
 * Returns null when one cannot be resolved, with the reason in `problems`.
 */
export function resolveAliases(
  root: unknown,
  positionOf: (offset: number) => Position,
  problems: Problems,
): Map<Alias, unknown> | null {
  let hasFailed = false
  const pass: Pass = { anchors: new Map(), open: new Set(), targets: new Map(), report }
  function report(alias: Alias, message: string, hint?: () => string | undefined): void {
    hasFailed = true
    problems.error({ path: '', position: positionOf(alias.range?.[0] ?? 0) }, message, hint)
  }
  visit(root, 0, pass)
  return hasFailed ? null : pass.targets
}

function visit(node: unknown, depth: number, pass: Pass): void {
  if (depth > deepestPass) return
  if (isAlias(node)) return visitAlias(node, pass)
  if (!isScalar(node) && !isMap(node) && !isSeq(node)) return
  if (node.anchor) pass.anchors.set(node.anchor, node)
  if (isScalar(node)) return
  pass.open.add(node)
  for (const item of node.items) {
    if (isMap(node)) {
      const pair = item as { key: unknown; value: unknown }
      visit(pair.key, depth + 1, pass)
      visit(pair.value, depth + 1, pass)
    } else {
      visit(item, depth + 1, pass)
    }
  }
  pass.open.delete(node)
}

function visitAlias(alias: Alias, pass: Pass): void {
  const target = pass.anchors.get(alias.source)
  if (target === undefined) {
    const hint = () => didYouMean(alias.source, pass.anchors.keys())
    return pass.report(alias, `the alias *${alias.source} names no anchor above it`, hint)
  }
  if (pass.open.has(target))
    return pass.report(alias, `the alias *${alias.source} stands inside its own anchor`)
  pass.targets.set(alias, target)
}
