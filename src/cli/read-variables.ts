import { RackError } from '../domain/error.ts'
import { parseDotenv } from '../lib/dotenv.ts'

export type Variables = Record<string, string>

/** The variables of a `.env` file. @throws usage when it cannot be read, invalid */
export async function readVariables(cwd: string, file: string): Promise<Variables> {
  const { readFile } = process.getBuiltinModule('node:fs/promises')
  const path = process.getBuiltinModule('node:path').resolve(cwd, file)
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new RackError('usage', `${file} cannot be read: ${cause.message}`, { cause })
  })
  return checkVariables(file, text)
}

/** @throws invalid with every line that cannot be read */
export function checkVariables(name: string, text: string): Variables {
  const wrong = complaint(text)
  if (wrong !== null) throw new RackError('invalid', `${name}: ${wrong}`)
  return Object.fromEntries(parseDotenv(text).values)
}

/** Every line that cannot be read, never its text; null when there is none. */
export function complaint(text: string): string | null {
  const { faults } = parseDotenv(text)
  if (faults.length === 0) return null
  const lines = faults.map(({ line, message }) => `  line ${line}: ${message}`)
  return ['it cannot be read as NAME=value lines', ...lines].join('\n')
}
