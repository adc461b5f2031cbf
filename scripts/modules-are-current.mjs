// Exits 0 when node_modules holds what package-lock.json names, 1 when `npm ci` is due.
// Runs before anything is installed, so it is plain JavaScript for any Node. `npm ls` answers the same in a second.
import { readFileSync } from 'node:fs'

function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages
  } catch (error) {
    if (error.code === 'ENOENT') return null
    throw error
  }
}

const wanted = packagesOf('package-lock.json') ?? {}
const installed = packagesOf('node_modules/.package-lock.json')
const isCurrent =
  installed !== null &&
  Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' || (installed[path] ? installed[path].version === entry.version : entry.optional === true),
  )
process.exitCode = isCurrent ? 0 : 1
