import type { Session } from './session.ts'

/** A command as data: its words, what it takes, examples, and what it does. */
export interface CommandSpec {
  name: string
  /** In commander's syntax: `<type> [command...]`. */
  arguments?: string
  summary: string
  /** More than the summary, for the command's own help. */
  description?: string
  /** At least one, without the leading `rack`. */
  examples: string[]
  options?: OptionSpec[]
  /** Which of `--app` and `--rack` it takes: an app's command takes both. */
  needs: 'app' | 'rack' | 'nothing'
  /** From the second argument on, everything belongs to the command that is run, options too. */
  isPassThrough?: boolean
  /** Absent for a noun that only groups its verbs. Returns the exit code when it is not 0. */
  run?: (session: Session) => Promise<number | void>
  commands?: CommandSpec[]
}

/** Flags in commander's syntax, and what they mean; a `multiple` one gathers its values. */
export interface OptionSpec {
  flags: string
  meaning: string
  multiple?: true
}
