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

/** The values of a command's options, by the long name without dashes at its front. */
export class Options {
  readonly #values: Record<string, unknown>

  constructor(values: Record<string, unknown>) {
    this.#values = values
  }

  text(name: string): string | undefined {
    const value = this.#values[camelCase(name)]
    return typeof value === 'string' ? value : undefined
  }

  flag(name: string): boolean {
    return this.#values[camelCase(name)] === true
  }

  /** Whether `--no-NAME` was given. */
  isOff(name: string): boolean {
    return this.#values[camelCase(name)] === false
  }

  list(name: string): string[] {
    const value = this.#values[camelCase(name)]
    return Array.isArray(value) ? (value as string[]) : []
  }
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_whole, letter: string) => letter.toUpperCase())
}
