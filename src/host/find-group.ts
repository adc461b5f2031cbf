import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { RackError } from '../domain/error.ts'

const run = promisify(execFile)

/** A group of this machine by its name, from wherever the machine keeps its groups. @throws invalid */
export async function findGroup(name: string): Promise<{ name: string; id: number }> {
  const found = await run('getent', ['group', '--', name]).catch(() => null)
  const [known, , id] = found?.stdout.split('\n', 1)[0]?.split(':') ?? []
  if (known !== undefined && id !== undefined && /^\d+$/.test(id)) return { name: known, id: Number(id) }
  throw new RackError('invalid', `this machine has no group "${name}"`, {
    hint: 'getent group lists them; --api-group NAME',
  })
}
