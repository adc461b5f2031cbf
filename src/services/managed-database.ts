import type { ManagedCare } from './service-type.ts'

/** A database that a cloud runs, in which the rack's own commands do all that they do elsewhere. */
export function managedDatabase(environment: ManagedCare['environment']): ManagedCare {
  const asElsewhere = { scheme: null, rights: null, withheld: null, series: null, says: [] }
  return {
    environment,
    ...asElsewhere,
    bringsSeries: true,
    newVersion:
      'RDS takes a snapshot before, and no version back: the way back is a database that RDS makes of that snapshot',
    leavesSnapshot: true,
    sizeStays: null,
    noRestart: null,
  }
}
