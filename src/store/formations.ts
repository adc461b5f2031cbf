import type { Transaction } from 'kysely'
import type { Formation } from '../domain/manifest.ts'
import type { FormationStore } from '../domain/stores/app-stores.ts'
import type { StoreContext } from './context.ts'
import type { Schema } from './schema.ts'

/** Formations as one row per process type. */
export function createFormationStore({ db }: StoreContext): FormationStore {
  return {
    async get(app) {
      const rows = await db
        .selectFrom('formations')
        .selectAll()
        .where('app', '=', app)
        .orderBy('process')
        .execute()
      return Object.fromEntries(
        rows.map((row) => [
          row.process,
          { count: row.count, cpuUnits: row.cpu_units, memoryBytes: row.memory_bytes },
        ]),
      )
    },
  }
}

/**
 * Sets the types that are named. The others keep theirs: a type that a release drops has its count again when a
 * rollback brings it back.
 */
export async function setFormation(
  transaction: Transaction<Schema>,
  app: string,
  formation: Record<string, Formation>,
): Promise<void> {
  for (const [type, { count, cpuUnits, memoryBytes }] of Object.entries(formation)) {
    const values = { count, cpu_units: cpuUnits, memory_bytes: memoryBytes }
    await transaction
      .insertInto('formations')
      .values({ app, process: type, ...values })
      .onConflict((conflict) => conflict.columns(['app', 'process']).doUpdateSet(values))
      .execute()
  }
}
