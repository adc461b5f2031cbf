import { DatabaseSync } from 'node:sqlite'
import { sqliteFault } from './faults.ts'

/**
 * Frees all addresses and subnets in the file of a store that nobody has open, and whose rack runs nothing: it is given new
 * ones, also where its pool is another now.
 * @throws store-failed for a file that is no store
 */
export function forgetAddresses(path: string): void {
  try {
    const sqlite = new DatabaseSync(path)
    try {
      sqlite.exec('begin; delete from addresses; delete from subnets; commit')
    } finally {
      sqlite.close()
    }
  } catch (error) {
    throw sqliteFault(error)
  }
}
