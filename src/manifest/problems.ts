import type { Position, Problem } from '../domain/manifest.ts'
import type { ProposedFix, Remedy } from './fix/fix.ts'

/** Anything of the file that a problem can point at. */
export interface Place {
  path: string
  position: Position
  /** The directory from which relative paths start, from the source directory; absent it is that of the file. */
  base?: string
  /** Set on a value that a variable without a value left incomplete, while such variables are tolerated. */
  isIncomplete?: boolean
}

/** What to write instead, and maybe how to mend the file. */
export type Advice = string | Remedy

/** An advice, or how to find one; it is only looked for when the problem is kept. */
export type Hint = Advice | (() => Advice | undefined)

/** More than anybody reads; the rest is counted. */
const mostProblems = 500

/** Looking for the nearest name takes time; a file with more mistakes than this has others to solve first. */
const mostSearchedHints = 100

/** Collects what is to be said about a file: each thing once, bounded in number. */
export class Problems {
  readonly #kept: Problem[] = []
  /** How some of them are mended. */
  readonly fixes: ProposedFix[] = []
  readonly #seen = new Set<string>()
  readonly #unreadable = new Set<string>()
  #dropped = 0
  #droppedError = false

  /** Says that the file cannot be honoured; about an incomplete value it is a warning. */
  error(place: Place, message: string, hint?: Hint): void {
    this.#add(
      place,
      place.isIncomplete ? 'warning' : 'error',
      message,
      hint,
      place.isIncomplete ? 'variable' : undefined,
    )
  }

  /** Says that a text cannot be read; what else is wrong at its place follows from that, and goes unsaid. */
  unreadable(place: Place, message: string, hint?: Hint): void {
    this.error(place, message, hint)
    this.#unreadable.add(placeKey(place))
  }

  warn(place: Place, message: string, hint?: Hint): void {
    this.#add(place, 'warning', message, hint)
  }

  /** Says that a variable has no value; an error leaves the text unreadable. */
  variable(place: Place, severity: Problem['severity'], message: string, hint?: Hint): void {
    if (severity === 'error') this.#unreadable.add(placeKey(place))
    this.#add(place, severity, message, hint, 'variable')
  }

  /** Says that the rack's policy does not allow it; the file itself may stay as it is. */
  policy(place: Place, message: string, hint?: Hint): void {
    if (place.isIncomplete) this.error(place, message, hint)
    else this.#add(place, 'error', message, hint, 'policy')
  }

  /** Whether an error is known of the value at a path, or of one below it. */
  hasErrorBelow(path: string): boolean {
    const isBelow = (one: string) =>
      one === path || (one.startsWith(path) && '.['.includes(one.charAt(path.length)))
    return this.#kept.some((problem) => problem.severity === 'error' && isBelow(problem.path))
  }

  /** Whether what is said now would only be counted. */
  get isFull(): boolean {
    return this.#kept.length >= mostProblems
  }

  get hasErrors(): boolean {
    return this.#droppedError || this.#kept.some(({ severity }) => severity === 'error')
  }

  /** All problems by file, line and column, in the order of the given files. */
  sorted(files: string[]): Problem[] {
    const rank = new Map(files.map((file, index) => [file, index]))
    const rankOf = ({ file }: Position) => rank.get(file) ?? files.length
    const sorted = [...this.#kept].sort(
      ({ position: a }, { position: b }) => rankOf(a) - rankOf(b) || a.line - b.line || a.column - b.column,
    )
    const last = sorted.at(-1)
    if (this.#dropped === 0 || !last) return sorted
    const severity = this.#droppedError ? 'error' : 'warning'
    return [
      ...sorted,
      { severity, position: last.position, path: '', message: `and ${this.#dropped} more problems` },
    ]
  }

  #add(
    place: Place,
    severity: Problem['severity'],
    message: string,
    hint?: Hint,
    kind?: Problem['kind'],
  ): void {
    const { position, path } = place
    if (kind !== 'variable' && this.#unreadable.has(placeKey(place))) return
    const key = `${placeKey(place)}:${message}`
    if (this.#seen.has(key)) return
    if (this.isFull) {
      this.#dropped += 1
      this.#droppedError ||= severity === 'error'
      return
    }
    this.#seen.add(key)
    const found = typeof hint === 'function' ? this.#search(hint) : hint
    const advice = typeof found === 'object' ? found.hint : found
    this.#kept.push({
      severity,
      position,
      path,
      message,
      ...(advice === undefined ? {} : { hint: advice }),
      ...(kind === undefined ? {} : { kind }),
    })
    // What a variable left incomplete is not known yet.
    if (typeof found === 'object' && !place.isIncomplete) this.#propose(place, message, found)
  }

  #propose(place: Place, message: string, { fix, at = place }: Remedy): void {
    const { position, path } = at
    for (const one of [fix].flat()) this.fixes.push({ fix: one, position, path, message })
  }

  #search(hint: () => Advice | undefined): Advice | undefined {
    return this.#kept.length < mostSearchedHints ? hint() : undefined
  }
}

function placeKey({ position: { file, line, column } }: Place): string {
  return `${file}:${line}:${column}`
}
