import { readdir } from 'node:fs/promises'
import { RackError } from '../../domain/error.ts'
import { isMissing } from '../../lib/missing.ts'
import { readRacks } from '../racks-file.ts'
import type { Session } from '../session.ts'
import type { AccountOptions } from './account-options.ts'

/** Whether the name and the directory are free on this machine, before anything is made elsewhere. @throws exists, conflict, host-failed */
export async function checkFree(
  { world }: Pick<Session, 'world'>,
  { name, directory }: Pick<AccountOptions, 'name' | 'directory'>,
): Promise<void> {
  if (readRacks(world.env).racks.some((rack) => rack.name === name)) {
    throw new RackError('exists', `a rack "${name}" is known here already`, {
      hint: 'rack start starts it; choose another name: --name NAME; rack racks forget NAME takes it off the list',
    })
  }
  if ((await entriesOf(directory)).length === 0) return
  throw new RackError('conflict', `${directory} is not empty`, { hint: 'Choose another: --dir DIRECTORY' })
}

async function entriesOf(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isMissing(error)) return []
    throw new RackError('host-failed', `${directory} cannot be used: ${(error as Error).message}`, {
      hint: 'Choose another: --dir DIRECTORY',
      cause: error,
    })
  }
}
