import { RackError } from '../../domain/error.ts'
import { checkDirectory } from '../../host/make-installation.ts'
import { readRacks } from '../racks-file.ts'
import type { Session } from '../session.ts'
import type { AccountOptions } from './account-options.ts'

/** Whether the name and, where the daemon is to be here, the directory are free on this machine, before anything is made elsewhere. @throws exists, conflict, host-failed */
export async function checkFree(
  { world }: Pick<Session, 'world'>,
  { name, directory, stacks }: Pick<AccountOptions, 'name' | 'directory' | 'stacks'>,
): Promise<void> {
  if (readRacks(world.env).racks.some((rack) => rack.name === name)) {
    throw new RackError('exists', `a rack "${name}" is known here already`, {
      hint: 'rack start starts it; choose another name: --name NAME; rack racks forget NAME takes it off the list',
    })
  }
  if (!stacks.inside) await checkDirectory(directory)
}
