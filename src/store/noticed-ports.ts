import type { Transaction } from 'kysely'
import type { NoticedPort } from '../domain/noticed-port.ts'
import type { NoticedPortStore } from '../domain/stores/app-stores.ts'
import type { StoreContext } from './context.ts'
import type { Schema } from './schema.ts'

export function createNoticedPortStore({ db }: StoreContext): NoticedPortStore {
  return {
    async get(app) {
      const query = db.selectFrom('noticed_ports').selectAll().where('app', '=', app)
      const rows = await query.orderBy('process').execute()
      return rows.map(({ process, port, build, speaks_http: speaks, is_served: served }) => {
        return { process, port, build, speaksHttp: speaks === 1, isServed: served === 1 }
      })
    },
  }
}

/** Replaces all that is known of an app's raw ports. */
export async function setNoticedPorts(
  transaction: Transaction<Schema>,
  app: string,
  ports: NoticedPort[],
): Promise<void> {
  await transaction.deleteFrom('noticed_ports').where('app', '=', app).execute()
  for (const { process, port, build, speaksHttp, isServed } of ports) {
    const values = { app, process, port, build, speaks_http: Number(speaksHttp), is_served: Number(isServed) }
    await transaction.insertInto('noticed_ports').values(values).execute()
  }
}
