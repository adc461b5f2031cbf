import type { Remedy } from './fix/fix.ts'

/** The candidate that a person most likely meant, or undefined when none is close. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > 40) return undefined
  const limit = Math.max(1, Math.floor(word.length / 3))
  let best: string | undefined
  let bestDistance = limit + 1
  for (const candidate of candidates) {
    if (candidate.length > 40) continue
    const distance = distanceBetween(word.toLowerCase(), candidate.toLowerCase(), limit)
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

/** `did you mean "x"?`, or the fallback when nothing is close. */
export function didYouMean(
  word: string,
  candidates: Iterable<string>,
  fallback?: string,
): string | undefined {
  const found = nearest(word, candidates)
  return found === undefined ? fallback : `did you mean "${found}"?`
}

/**
 * `didYouMean` of a word that only has a few spellings (a key, a setting): where one alone is as near, it is written in
 * place of the word.
 * @param prefix of the word and of what is meant, which is not compared
 */
export function respelling(
  word: string,
  candidates: Iterable<string>,
  fallback?: string,
  prefix = '',
): Remedy | string | undefined {
  const known = [...candidates]
  const found = nearest(word, known)
  if (found === undefined) return fallback
  const others = known.filter((one) => one !== found && nearest(word, [one]) !== undefined)
  const hint = `did you mean "${prefix}${found}"?`
  const isAlone = others.every((one) => rankOf(word, one) > rankOf(word, found))
  return isAlone ? { hint, fix: { change: 'respell', from: prefix + word, to: prefix + found } } : hint
}

function rankOf(word: string, candidate: string): number {
  return distanceBetween(word.toLowerCase(), candidate.toLowerCase(), word.length)
}

/** A word that is the start of the other but for its last letter counts as near: `retry`, `retries`. */
function distanceBetween(word: string, candidate: string, limit: number): number {
  const isStart = word.length > 3 && candidate.startsWith(word.slice(0, -1))
  if (isStart) return 1
  return Math.abs(candidate.length - word.length) > limit ? limit + 1 : editDistance(word, candidate)
}

/** Insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1]
      const replaced = (previous[j - 1] ?? 0) + (same ? 0 : 1)
      let cost = Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      current.push(cost)
    }
    ;[before, previous] = [previous, current]
  }
  return previous[b.length] ?? 0
}
