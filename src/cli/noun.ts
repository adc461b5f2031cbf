import type { CommandSpec } from './command-spec.ts'

/** A first word: loaded when it is typed. */
export interface Noun {
  name: string
  /** The heading under which `rack help` lists it. */
  group: string
  summary: string
  /** For programs, not for people. */
  isHidden?: true
  load: () => Promise<CommandSpec>
}
