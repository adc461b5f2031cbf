import type { Control } from '../../../domain/control.ts'
import { pause } from '../../../lib/poll.ts'
import { findAllRules, forwardRule } from './rules.ts'
import { isKept, type OwnCopy, type OwnRollout } from '../deploy/own.ts'

/**
 * Shares out requests among the generations of a type that serve side by side, before some copies leave: a target group
 * that nobody is left in answers 503 to its share.
 */
export async function shareOut(
  own: OwnRollout,
  leaving: ReadonlySet<OwnCopy>,
  control: Control,
): Promise<void> {
  const { parts } = own
  const generations = [...own.generations.values()].filter(({ groups }) => groups.length > 0)
  if (generations.length === 0) return
  const counts = new Map<string, number>()
  for (const copy of own.copies.values()) {
    if (!isKept(copy) || leaving.has(copy)) continue
    for (const arn of copy.generation?.groups ?? []) counts.set(arn, (counts.get(arn) ?? 0) + 1)
  }
  const known = new Set(generations.flatMap(({ groups }) => groups))
  let hasChanged = false
  for (const rule of await findAllRules(parts, control)) {
    if (rule.groups.length < 2 || !rule.groups.every(({ arn }) => known.has(arn))) continue
    const groups = rule.groups.flatMap(({ arn }) => {
      const weight = counts.get(arn) ?? 0
      return weight > 0 ? [{ arn, weight }] : []
    })
    if (groups.length === 0 || groups[0]!.arn !== rule.groups[0]!.arn) continue
    await forwardRule(
      parts,
      rule,
      groups.length === 1 ? [{ arn: groups[0]!.arn, weight: 1 }] : groups,
      control,
    )
    hasChanged = true
  }
  // Every node of a balancer hears of it for itself (aws.md 4.1).
  if (hasChanged) await pause(parts.intervals.targets, control.signal)
}
