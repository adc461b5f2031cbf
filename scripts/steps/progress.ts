/** A step that could not be done; `hint` is what the reader types next. */
export class SetupError extends Error {
  readonly hint: string

  constructor(message: string, hint: string, cause?: unknown) {
    super(message, { cause })
    this.hint = hint
  }
}

const startedAt = performance.now()

/** Prints one line with the seconds since the program started; standard output stays free for data. */
export function say(line: string): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)
  process.stderr.write(`${seconds} s  ${line}\n`)
}

/** Runs one piece of work between two printed lines, the last with its duration; long work shows signs of life. */
export async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  say(`${name} …`)
  const from = performance.now()
  const elapsed = () => `${((performance.now() - from) / 1000).toFixed(1)} s`
  const reminder = setInterval(() => say(`${name}: at it for ${elapsed()}`), 10_000)
  try {
    const result = await work()
    say(`${name}: done in ${elapsed()}`)
    return result
  } finally {
    clearInterval(reminder)
  }
}

/** Prints a failure as what failed, why, and what to type, and makes the program exit 1. */
export function printFailure(program: string, error: unknown): void {
  process.exitCode = 1
  if (!(error instanceof SetupError)) {
    console.error(error)
    return
  }
  process.stderr.write(`${program}: ${error.message}\n`)
  if (error.cause instanceof Error) process.stderr.write(`  because: ${error.cause.message}\n`)
  process.stderr.write(`  ${error.hint}\n`)
}
