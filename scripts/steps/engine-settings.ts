import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What an engine that is installed here begins with: apps run on while it is restarted or updated. */
const settings = { 'live-restore': true }

/**
 * Writes the settings of a Docker Engine that was just installed, before its first start; settings that somebody has
 * written before are left as they are.
 * @returns whether they were written
 */
export async function writeEngineSettings(path = '/etc/docker/daemon.json'): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true })
  try {
    await writeFile(path, `${JSON.stringify(settings, null, 2)}\n`, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
