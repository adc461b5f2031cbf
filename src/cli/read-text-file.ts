import { RackError } from '../domain/error.ts'
import { readAll } from './read-all.ts'
import type { Session } from './session.ts'

/** All of a short file that a command names; `-` is standard input. @throws usage when it cannot be read; too-large */
export async function readTextFile({ cwd, stdin }: Session['world'], file: string): Promise<string> {
  if (file === '-') return await readAll(stdin)
  const { createReadStream } = process.getBuiltinModule('node:fs')
  const path = process.getBuiltinModule('node:path')
  try {
    return await readAll(createReadStream(path.resolve(cwd, file)))
  } catch (cause) {
    if (cause instanceof RackError) throw cause
    throw new RackError('usage', `${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
