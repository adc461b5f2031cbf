/** What a rack does with a key of the file. */
export type Verdict = 'honoured' | 'translated' | 'ignored' | 'refused'

export interface KeyRule {
  verdict: Verdict
  /** What it means here, why leaving it out is harmless, or why it cannot be. */
  why: string
  /** What a translated key becomes. */
  into?: string
  /** What to write instead of a refused key. */
  instead?: string
  /** Values that ask for nothing, so that a refused key is harmless with them. */
  unless?: string[]
  /** Ignored in so harmless a way that only the list of verdicts mentions it. */
  isQuiet?: boolean
}

/**
 * Rules by key path. A segment `*` is any name that the user chose and `[]` the items of a list; below a key that has
 * no entries of its own everything is the user's (labels, variables) or shares the verdict of that key.
 */
export type RuleTable = Record<string, KeyRule>

/** A rule table by levels. */
export interface RuleNode {
  rule: KeyRule | null
  keys: Map<string, RuleNode>
}

/** Turns a flat table into levels. */
export function levelsOf(table: RuleTable): RuleNode {
  const root: RuleNode = { rule: null, keys: new Map() }
  for (const [path, rule] of Object.entries(table)) {
    let node = root
    for (const segment of path.replaceAll('[]', '.[]').split('.')) {
      const next = node.keys.get(segment) ?? { rule: null, keys: new Map() }
      node.keys.set(segment, next)
      node = next
    }
    node.rule = rule
  }
  return root
}

/** A key that does what it says. */
export function honoured(why: string): KeyRule {
  return { verdict: 'honoured', why }
}

/** A key that becomes something of the rack's. */
export function translated(why: string, into: string): KeyRule {
  return { verdict: 'translated', why, into }
}

/** A key whose neglect is harmless, and why. */
export function ignored(why: string): KeyRule {
  return { verdict: 'ignored', why }
}

/** A harmless key that is not worth a line in a build log. */
export function quiet(why: string): KeyRule {
  return { verdict: 'ignored', why, isQuiet: true }
}

/** A key whose neglect would change what the app does. */
export function refused(why: string, instead?: string, unless?: string[]): KeyRule {
  return { verdict: 'refused', why, ...(instead ? { instead } : {}), ...(unless ? { unless } : {}) }
}
