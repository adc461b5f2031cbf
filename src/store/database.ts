import type { CreateTableBuilder, Kysely, Transaction } from 'kysely'
import type { Schema } from './schema.ts'

/** One SQL database, open; the rest of the store does not ask which. */
export interface Database {
  db: Kysely<Schema>
  dialect: Dialect
  /** Writes a copy of one moment to a file, while others go on writing; null for a database that is no file. @throws disk-full */
  copyTo: ((path: string) => Promise<void>) | null
  /** Safe to repeat. */
  close: () => Promise<void>
}

/** All in which the databases differ, each difference by name. */
export interface Dialect {
  /** True where several transactions write at a time, so that a row must be locked before it is judged. */
  hasRowLocks: boolean
  /** Gives a new table the column `seq`: its key, counted up by the database. */
  addSequence<Columns extends string>(
    table: CreateTableBuilder<never, Columns>,
  ): CreateTableBuilder<never, Columns>
  /** Lets one transaction at a time choose a subnet. */
  lockSubnets(transaction: Transaction<Schema>): Promise<void>
  /** Lets one transaction at a time add events, until it ends. */
  lockEvents(transaction: Transaction<Schema>): Promise<void>
}
