import { sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { RackError } from '../domain/error.ts'
import type { Database } from './database.ts'
import { createTables } from './migrations/0001-create-tables.ts'
import { keepHistory } from './migrations/0002-keep-history.ts'
import { createAudit } from './migrations/0003-create-audit.ts'
import { keepEndings } from './migrations/0004-keep-endings.ts'
import { tellProcesses } from './migrations/0005-tell-processes.ts'
import { addressesByNetwork } from './migrations/0006-addresses-by-network.ts'
import { keepRegistries } from './migrations/0007-keep-registries.ts'
import { keepTimers } from './migrations/0008-keep-timers.ts'
import { keepServices } from './migrations/0009-keep-services.ts'
import { runServices } from './migrations/0010-run-services.ts'
import { noticePorts } from './migrations/0011-notice-ports.ts'
import { endingsByKind } from './migrations/0012-endings-by-kind.ts'
import { keepShares } from './migrations/0013-keep-shares.ts'
import { chooseLinks } from './migrations/0015-choose-links.ts'
import { keepCertificates } from './migrations/0016-keep-certificates.ts'
import { keepDomains } from './migrations/0017-keep-domains.ts'
import { tokensHaveRoles } from './migrations/0018-tokens-have-roles.ts'
import { keepOrders } from './migrations/0021-keep-orders.ts'
import { countEnds } from './migrations/0022-count-ends.ts'
import { chainTheAudit } from './migrations/0019-chain-the-audit.ts'

/**
 * Brings the tables to this version of Rack, in the order of the migrations' names, all or nothing.
 * @throws store-failed when a newer Rack has written the database, or the database fails
 */
export async function migrate(database: Database): Promise<void> {
  const migrations = {
    '0001-create-tables': createTables(database.dialect),
    '0002-keep-history': keepHistory(database.dialect),
    '0003-create-audit': createAudit(database.dialect),
    '0004-keep-endings': keepEndings(database.dialect),
    '0005-tell-processes': tellProcesses(),
    '0006-addresses-by-network': addressesByNetwork(),
    '0007-keep-registries': keepRegistries(),
    '0008-keep-timers': keepTimers(database.dialect),
    '0009-keep-services': keepServices(database.dialect),
    '0010-run-services': runServices(),
    '0011-notice-ports': noticePorts(),
    '0012-endings-by-kind': endingsByKind(),
    '0013-keep-shares': keepShares(database.dialect),
    '0015-choose-links': chooseLinks(),
    '0016-keep-certificates': keepCertificates(),
    '0017-keep-domains': keepDomains(),
    '0018-tokens-have-roles': tokensHaveRoles(),
    '0019-chain-the-audit': chainTheAudit(),
    '0021-keep-orders': keepOrders(),
    '0022-count-ends': countEnds(),
  }
  const migrator = new Migrator({ db: database.db, provider: { getMigrations: async () => migrations } })
  const { error } = await migrator.migrateToLatest()
  if (!error) return
  if (error instanceof RackError) throw error
  await refuseNewer(database, Object.keys(migrations))
  throw new RackError('store-failed', 'the tables of the store could not be brought up to date', {
    cause: error,
  })
}

async function refuseNewer({ db }: Database, known: string[]): Promise<void> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  const unknown = rows.map((row) => row.name).filter((name) => !known.includes(name))
  if (unknown.length === 0) return
  throw new RackError(
    'store-failed',
    `a newer version of Rack has changed the store (${unknown.join(', ')})`,
    {
      hint: 'Use that version again, or restore a backup from before it.',
    },
  )
}
