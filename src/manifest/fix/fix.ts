import type { Position } from '../../domain/manifest.ts'

/**
 * How the text of a file is mended where a problem is, told beside the problem: only where the right answer is known, and
 * does no harm to what else reads the file.
 */
export type Fix =
  /** The entry at the place goes, or the item of a list that the place is in. */
  | { change: 'remove'; whole: 'entry' | 'item' }
  /** A word of the key or the value at the place is written otherwise. */
  | { change: 'respell'; from: string; to: string }
  /** What is written at the place is replaced by this text of YAML. */
  | { change: 'write'; text: string }
  /** The entry at the place becomes another one. */
  | { change: 'replace'; key: string; value: string }
  /** A lone `$` of the value at the place is doubled. */
  | { change: 'double-dollars' }
  /** The process that the place is in gets a further label or port. */
  | { change: 'add'; under: 'labels'; name: string; value: string }
  | { change: 'add'; under: 'ports'; value: string }
  /** The name is declared at the end of the file. */
  | { change: 'declare'; section: 'volumes' | 'networks'; name: string }
  /** The process whose key is at the place is called otherwise, and stays reachable by its old name. */
  | { change: 'rename-process'; from: string; to: string }

/** A fix, and what it is for. */
export interface ProposedFix {
  fix: Fix
  position: Position
  /** The dotted path of what stands there. */
  path: string
  /** Of the problem. */
  message: string
}

/** What is to be said of a problem beside itself: what to write instead, and how that is done. */
export interface Remedy {
  hint?: string
  fix: Fix | Fix[]
  /** Where the fix applies, when that is not the place of the problem. */
  at?: { path: string; position: Position }
}

export const removal: Fix = { change: 'remove', whole: 'entry' }
export const itemRemoval: Fix = { change: 'remove', whole: 'item' }

/** What is done, for a person. */
export function fixText(fix: Fix): string {
  switch (fix.change) {
    case 'remove':
      return 'removed'
    case 'respell':
      return `"${fix.from}" becomes "${fix.to}"`
    case 'write':
      return `becomes ${fix.text}`
    case 'replace':
      return `becomes ${fix.key}: ${fix.value}`
    case 'double-dollars':
      return '`$` becomes `$$`'
    case 'add':
      return fix.under === 'labels' ? `gets the label ${fix.name}=${fix.value}` : `gets the port ${fix.value}`
    case 'declare':
      return `"${fix.name}" is declared under \`${fix.section}:\``
    case 'rename-process':
      return `"${fix.from}" becomes "${fix.to}", and stays a name of it inside the app`
  }
}
