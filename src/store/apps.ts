import type { Selectable, Transaction, Updateable } from 'kysely'
import type { App, AppStatus } from '../domain/app.ts'
import { RackError } from '../domain/error.ts'
import type { RackEvent } from '../domain/event.ts'
import type { AppStore } from '../domain/stores/app-stores.ts'
import { missing, transact, type StoreContext } from './context.ts'
import { addEvent } from './events.ts'
import { forgetVersions } from './release-links.ts'
import type { Schema } from './schema.ts'

/** Apps as rows. */
export function createAppStore(context: StoreContext): AppStore {
  const { db, now } = context
  const apps = db.selectFrom('apps').selectAll()
  return {
    async create(name) {
      const app: App = { name, status: 'running', release: null, locked: false, created: now() }
      return await transact(context, async (transaction) => {
        const { numInsertedOrUpdatedRows } = await transaction
          .insertInto('apps')
          .values({ ...app, locked: 0 })
          .onConflict((conflict) => conflict.column('name').doNothing())
          .executeTakeFirstOrThrow()
        if (numInsertedOrUpdatedRows === 0n) throw appTaken(name)
        await addAppEvent(context, transaction, { app: name, change: 'created', status: app.status })
        return app
      })
    },
    async get(name) {
      const row = await apps.where('name', '=', name).executeTakeFirst()
      return row ? appOf(row) : null
    },
    async list() {
      return (await apps.orderBy('name').execute()).map(appOf)
    },
    setStatus: (name, status) => changeApp(context, name, { status }),
    setLocked: (name, locked) => changeApp(context, name, { locked: locked ? 1 : 0 }),
    remove: async (name) =>
      await transact(context, async (transaction) => {
        // Foreign keys take along all that belongs to it.
        const removal = transaction.deleteFrom('apps').where('name', '=', name)
        if ((await removal.executeTakeFirst()).numDeletedRows === 0n) return
        await forgetVersions(transaction)
        await addAppEvent(context, transaction, { app: name, change: 'removed' })
      }),
  }
}

interface AppEvent {
  app: string
  change: RackEvent['change']
  status?: AppStatus
}

export async function addAppEvent(
  context: StoreContext,
  transaction: Transaction<Schema>,
  { app, change, status }: AppEvent,
): Promise<void> {
  const facts: RackEvent['facts'] = status ? { status } : {}
  await addEvent(context, transaction, { noun: 'app', change, app, id: app, facts })
}

async function changeApp(
  context: StoreContext,
  name: string,
  change: Pick<Updateable<Schema['apps']>, 'status' | 'locked'>,
): Promise<void> {
  await transact(context, async (transaction) => {
    const changed = await transaction
      .updateTable('apps')
      .set(change)
      .where('name', '=', name)
      .returning('status')
      .executeTakeFirst()
    const { status } = changed ?? missing('app', name)
    await addAppEvent(context, transaction, { app: name, change: 'changed', status })
  })
}

function appOf(row: Selectable<Schema['apps']>): App {
  return { ...row, locked: row.locked === 1 }
}

/** What is said of a name that another app has. */
export function appTaken(name: string): RackError {
  return new RackError('exists', `there is an app "${name}" already`, {
    hint: 'Choose another name with --app NAME; rack apps lists the ones that are taken.',
    details: { app: name },
  })
}
