/** What a test must not do with time: sleep until something has probably happened, or demand that it was quick. */
export interface TimeUse {
  kind: 'sleep' | 'elapsed'
  /** Counted from 1. */
  line: number
  text: string
}

/**
 * Finds bare sleeps and assertions on elapsed time in the text of a test. A timer that ends a wait, as a deadline does, is
 * neither: it is looked for what is awaited for its own sake.
 */
export function findTimeUses(text: string): TimeUse[] {
  const sleepers = sleeperNames(text)
  return text.split('\n').flatMap((line, index) => {
    if (/^\s*(import|\*|\/\/)/.test(line)) return []
    const isSleep = sleepers.test(line) || /new Promise\b.*\bsetTimeout\(/.test(line)
    const kind = isSleep ? 'sleep' : isElapsed(line) ? 'elapsed' : null
    return kind ? [{ kind, line: index + 1, text: line.trim() }] : []
  })
}

/** Calls of whatever the file has imported to sleep by. */
function sleeperNames(text: string): RegExp {
  const imported = /import \{([^}]*)\} from 'node:timers\/promises'/.exec(text)?.[1] ?? ''
  const names = imported.split(',').flatMap((name) => {
    const [original = '', alias = original] = name.trim().split(/ as /)
    return original === 'setTimeout' ? [alias] : original === 'scheduler' ? [`${alias}\\.wait`] : []
  })
  return new RegExp(`\\b(${[...names, 'Atomics\\.wait'].join('|')})\\(`)
}

function isElapsed(line: string): boolean {
  if (!/\bassert\b/.test(line)) return false
  const isCompared = /(performance|Date)\.now\(\).*[<>]|[<>].*(performance|Date)\.now\(\)/.test(line)
  return isCompared || /\b(ms|\w+Ms|took\w*|elapsed\w*) *[<>]/.test(line)
}
