/** Lines of one text and of another: those that both have, and those that one alone has. */
interface Line {
  sign: ' ' | '-' | '+'
  text: string
}

/** Around a change. */
const contextLines = 3

/** What differs between two texts, in the unified form that `patch` takes; '' when they are the same. */
export function lineDiff(path: string, before: string, after: string): string {
  if (before === after) return ''
  const lines = compare(linesOf(before), linesOf(after))
  const hunks = hunksOf(lines).map(([from, to]) => hunkText(lines, from, to))
  return `--- ${path}\n+++ ${path}\n${hunks.join('')}`
}

/** With their ends: a last line without one differs from a line with one. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

/** The shortest way from one text to the other (Myers, 1986); what both begin and end with is set aside first. */
function compare(before: string[], after: string[]): Line[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1
  let end = 0
  while (end < Math.min(before.length, after.length) - start && before.at(-1 - end) === after.at(-1 - end))
    end += 1
  const same = (text: string): Line => ({ sign: ' ', text })
  return [
    ...before.slice(0, start).map(same),
    ...shortestWay(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(same),
  ]
}

function shortestWay(before: string[], after: string[]): Line[] {
  const reached: Map<number, number>[] = []
  let furthest = new Map<number, number>([[1, 0]])
  for (let changes = 0; changes <= before.length + after.length; changes += 1) {
    reached.push(new Map(furthest))
    for (let diagonal = -changes; diagonal <= changes; diagonal += 2) {
      let x = stepFrom(furthest, diagonal, changes)
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x += 1
      furthest.set(diagonal, x)
      if (x >= before.length && x - diagonal >= after.length) return wayBack(before, after, reached)
    }
    furthest = new Map(furthest)
  }
  return []
}

/** Whether a line was added (down) or left out (right) to come to a diagonal. */
function stepFrom(furthest: Map<number, number>, diagonal: number, changes: number): number {
  const [below, above] = [furthest.get(diagonal - 1) ?? -1, furthest.get(diagonal + 1) ?? -1]
  const isDown = diagonal === -changes || (diagonal !== changes && below < above)
  return isDown ? above : below + 1
}

function wayBack(before: string[], after: string[], reached: Map<number, number>[]): Line[] {
  const lines: Line[] = []
  let [x, y] = [before.length, after.length]
  for (let changes = reached.length - 1; changes >= 0; changes -= 1) {
    const furthest = reached[changes]!
    const diagonal = x - y
    const [below, above] = [furthest.get(diagonal - 1) ?? -1, furthest.get(diagonal + 1) ?? -1]
    const isDown = diagonal === -changes || (diagonal !== changes && below < above)
    const from = isDown ? diagonal + 1 : diagonal - 1
    const startX = changes === 0 ? 0 : (furthest.get(from) ?? 0)
    const startY = changes === 0 ? 0 : startX - from
    while (x > startX && y > startY && x > 0 && y > 0) {
      lines.push({ sign: ' ', text: before[x - 1]! })
      ;[x, y] = [x - 1, y - 1]
    }
    if (changes === 0) break
    if (isDown) lines.push({ sign: '+', text: after[y - 1]! })
    else lines.push({ sign: '-', text: before[x - 1]! })
    ;[x, y] = [startX, startY]
  }
  return lines.reverse()
}

/** Where changes are, with what is around them; those that are near each other are one. */
function hunksOf(lines: Line[]): [from: number, to: number][] {
  const hunks: [number, number][] = []
  for (const [index, { sign }] of lines.entries()) {
    if (sign === ' ') continue
    const last = hunks.at(-1)
    const to = Math.min(lines.length, index + contextLines + 1)
    if (last && index - contextLines <= last[1]) last[1] = to
    else hunks.push([Math.max(0, index - contextLines), to])
  }
  return hunks
}

function hunkText(lines: Line[], from: number, to: number): string {
  const count = (part: Line[], sign: '-' | '+') =>
    part.filter((line) => line.sign === ' ' || line.sign === sign).length
  const [ahead, inside] = [lines.slice(0, from), lines.slice(from, to)]
  const range = (sign: '-' | '+') => {
    const length = count(inside, sign)
    const start = count(ahead, sign) + (length === 0 ? 0 : 1)
    return `${sign}${start},${length}`
  }
  const text = inside.map((line) => {
    const isOpen = !line.text.endsWith('\n')
    return `${line.sign}${line.text}${isOpen ? '\n\\ No newline at end of file\n' : ''}`
  })
  return `@@ ${range('-')} ${range('+')} @@\n${text.join('')}`
}
