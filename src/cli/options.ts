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

  /** What was given, in camel case. */
  names(): string[] {
    return Object.keys(this.#values).filter((name) => this.#values[name] !== undefined)
  }

  list(name: string): string[] {
    const value = this.#values[camelCase(name)]
    return Array.isArray(value) ? (value as string[]) : []
  }
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_whole, letter: string) => letter.toUpperCase())
}
