import assert from 'node:assert/strict'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Store } from '../../src/domain/store.ts'
import { auditBeforeChain, acmeBeforeOrders, processesBeforeEnds } from '../support/earlier-tables.ts'
import { beginning, createAuditCodes } from '../../src/store/audit/chain.ts'
import { createHeadFile } from '../../src/store/audit/head-file.ts'
import { keysOfFile } from '../../src/store/store-keys.ts'
import { readKeyFile } from '../../src/store/key-file.ts'
import type { StoreOptions } from '../../src/store/open-store.ts'
import type { TestDatabase } from '../support/databases.ts'

interface World {
  store: Store
  database: TestDatabase
  open: (options?: Partial<StoreOptions>) => Promise<Store>
}

type Scenario = (title: string, run: (world: World) => Promise<void>) => unknown

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** What somebody does to the audit who has the database, and what is told of it then: a kind and an entry. */
const tamperings: Record<string, { statement: string; fault: [string, number | null] }> = {
  'a name was changed': { statement: `update audit set caller = 'bob' where seq = 2`, fault: ['altered', 2] },
  'an address was changed': {
    statement: `update audit set source = null where seq = 5`,
    fault: ['altered', 5],
  },
  'an end was changed': {
    statement: `update audit set outcome = 'done' where seq = 2`,
    fault: ['altered', 2],
  },
  'an end was taken away': {
    statement: 'update audit set outcome = null, ended = null, end_no = null, end_mac = null where seq = 2',
    fault: ['missing', 3],
  },
  'an end was made up': {
    statement: `update audit set outcome = 'done' where seq = 5`,
    fault: ['altered', 5],
  },
  'one in the middle is missing': { statement: 'delete from audit where seq = 3', fault: ['missing', 4] },
  'the first is missing': { statement: 'delete from audit where seq = 1', fault: ['missing', 2] },
  'the last is missing': { statement: 'delete from audit where seq = 5', fault: ['cut', 4] },
  'the tail is missing, and the count with it': {
    statement:
      'delete from audit where seq > 3; update audit_head set count = (select max(end_no) from audit)',
    fault: ['cut', 3],
  },
  'all of it is missing': {
    statement: `delete from audit; update audit_head set count = 0, mac = ''`,
    fault: ['cut', null],
  },
  'two are in each other\u2019s place': {
    statement: `update audit set subject = 'x' where seq = 3; update audit set subject = 'y' where seq = 4`,
    fault: ['altered', 3],
  },
  'where it begins was moved': { statement: 'update audit_head set anchor_no = 2', fault: ['altered', null] },
  'one was written by somebody else': {
    statement: `insert into audit (caller, verb, begun) values ('eve', 'prune', '2026-11-29T00:00:00.000Z')`,
    fault: ['foreign', 6],
  },
}

const headOf = ({ options }: TestDatabase) => join(dirname(options.keyFile), 'audit.head')

/** Five entries: of the last it is not known how it ended. */
async function writeAudit({ audit }: Store): Promise<void> {
  const calls = [
    auditNote,
    { ...auditNote, app: 'shop' },
    auditNote,
    { ...auditNote, caller: 'bob', app: 'shop' },
  ]
  for (const [at, call] of calls.entries())
    await audit.end(await audit.begin(call), at === 1 ? 'busy' : 'done')
  await audit.begin(auditNote)
}

const auditNote = {
  caller: 'alice',
  verb: 'prune',
  app: null,
  subject: null,
  source: '192.0.2.1',
  request: 'a-request',
}

/** Who asked for what, and that nobody has changed it since. */
export function auditScenarios(scenario: Scenario): void {
  scenario(
    'the audit keeps who asked for what and how it ended, also when the app is gone',
    async ({ store, open }) => {
      await store.apps.create('shop')
      const note = { ...auditNote, verb: 'promoteRelease', app: 'shop', subject: 'RAAAAAAAAAA' }
      const first = await store.audit.begin(note)
      const second = await store.audit.begin({ ...auditNote, caller: 'bob\0' })
      await store.audit.end(first, 'busy')
      await store.audit.end(first, 'done')
      await store.audit.end(first + 1000, 'done')
      await store.apps.remove('shop')
      await store.close()
      const [newest, oldest, ...rest] = await (await open()).audit.list({ limit: 9 })
      assert.deepEqual(rest, [])
      assert.ok(second > first)
      assert.match(`${oldest?.begun} ${oldest?.ended}`, new RegExp(`${rfc3339.source.slice(1, -1)} 20`))
      const { begun: _begun, ended: _ended, ...told } = oldest!
      assert.deepEqual(told, { ...note, id: first, outcome: 'busy', place: 3 })
      assert.deepEqual([newest?.caller, newest?.ended, newest?.outcome], ['bob\uFFFD', null, null])
    },
  )

  scenario('the audit is as it was written, and says so', async ({ store, open }) => {
    assert.deepEqual(await store.audit.verify(), { entries: 0, fault: null })
    await writeAudit(store)
    const proof = { entries: 5, fault: null }
    assert.deepEqual(await store.audit.verify(), proof)
    await store.close()
    const again = await open()
    assert.deepEqual(await again.audit.verify(), proof, 'after a start too')
    await again.audit.begin(auditNote)
    assert.deepEqual((await again.audit.verify()).fault, null)
  })

  for (const [what, { statement, fault }] of Object.entries(tamperings)) {
    scenario(`the audit tells that ${what}`, async ({ store, database }) => {
      await writeAudit(store)
      await database.execute(statement)
      const found = (await store.audit.verify()).fault
      assert.deepEqual([found?.kind, found?.id], fault, found?.detail)
    })
  }

  /** Takes the last two entries away, and the chain back to before them: what is left hangs together by itself. */
  const cut = `delete from audit where seq > 3; update audit_head set
    count = (select max(end_no) from audit), mac = (select end_mac from audit order by end_no desc limit 1)`

  scenario('a tail that was cut is noticed though the audit goes on', async ({ store, database, open }) => {
    const said: string[] = []
    await store.close()
    const warned = await open({ warn: (message) => void said.push(message) })
    await writeAudit(warned)
    await database.execute(cut)
    for (let at = 0; at < 3; at++) await warned.audit.end(await warned.audit.begin(auditNote), 'done')
    assert.equal((await warned.audit.verify()).fault?.kind, 'cut')
    assert.deepEqual(said, ['the audit is not as it was written; see it with: rack audit verify'])
  })

  scenario('and after a start too', async ({ store, database, open }) => {
    await writeAudit(store)
    await store.close()
    await database.execute(cut)
    const said: string[] = []
    const again = await open({ warn: (_message, { why }) => void said.push(String(why)) })
    assert.deepEqual(said, ['it has come to 6, and had come to 9'])
    for (let at = 0; at < 3; at++) await again.audit.end(await again.audit.begin(auditNote), 'done')
    assert.equal((await again.audit.verify()).fault?.kind, 'cut')
    await again.close()
    const third = await open({ warn: (_message, { why }) => void said.push(String(why)) })
    assert.equal(said[1], 'what was written as number 9 is another')
    await third.audit.begin(auditNote)
    assert.equal((await third.audit.verify()).fault?.kind, 'cut')
    await rm(headOf(database))
    await third.close()
    const fourth = await open()
    await fourth.audit.begin(auditNote)
    assert.equal((await fourth.audit.verify()).fault?.kind, 'missing', 'no new file takes its place')
  })

  scenario(
    'a file that cannot be written takes no end away, and is caught up with',
    async ({ store, database, open }) => {
      await store.close()
      const said: string[] = []
      const warned = await open({ warn: (message) => void said.push(message) })
      await writeAudit(warned)
      const file = headOf(database)
      await rm(file)
      await mkdir(join(file, 'in-the-way'), { recursive: true })
      const id = await warned.audit.begin(auditNote)
      await warned.audit.end(id, 'done')
      const [newest] = await warned.audit.list({ limit: 1 })
      assert.deepEqual([newest?.id, newest?.outcome], [id, 'done'])
      assert.equal(said[0], 'how far the audit has come is not written down')
      await rm(file, { recursive: true })
      await warned.audit.begin(auditNote)
      assert.equal((await warned.audit.verify()).fault, null)
    },
  )

  scenario(
    'a chain of which a dead daemon had made the key alone is begun',
    async ({ store, database, open }) => {
      await writeAudit(store)
      await store.close()
      for (const statement of [...auditBeforeChain, ...acmeBeforeOrders, ...processesBeforeEnds])
        await database.execute(statement)
      await database.execute(`delete from kysely_migration where name >= '0019'`)
      const key = await readKeyFile(join(dirname(database.options.keyFile), 'audit.key'))
      await createHeadFile(
        keysOfFile(database.options.keyFile).auditHead,
        createAuditCodes(key!),
        (message) => assert.fail(message),
      ).write(beginning)
      assert.deepEqual(await (await open()).audit.verify(), { entries: 5, fault: null })
    },
  )

  scenario('what a rack of before has written is taken into the chain', async ({ store, database, open }) => {
    await writeAudit(store)
    await store.close()
    for (const statement of [...auditBeforeChain, ...acmeBeforeOrders, ...processesBeforeEnds])
      await database.execute(statement)
    await database.execute(`delete from kysely_migration where name >= '0019'`)
    for (const name of ['audit.key', 'audit.head']) await rm(join(dirname(database.options.keyFile), name))
    const again = await open()
    assert.deepEqual(await again.audit.verify(), { entries: 5, fault: null })
    await database.execute(`update audit set outcome = 'done' where seq = 2`)
    assert.equal((await again.audit.verify()).fault?.id, 2)
  })

  scenario('who takes the chain away is found out, file and all', async ({ store, database, open }) => {
    await writeAudit(store)
    await store.close()
    await database.execute('delete from audit_head')
    await database.execute(
      'update audit set begin_no = null, begin_mac = null, end_no = null, end_mac = null',
    )
    const file = join(dirname(database.options.keyFile), 'audit.head')
    const text = await readFile(file, 'utf8')
    await rm(file)
    const again = await open()
    assert.equal((await again.audit.verify()).fault?.kind, 'foreign')
    await writeFile(file, text.replace(/^\d+/, '4'))
    await database.execute('delete from audit')
    assert.equal((await again.audit.verify()).fault?.kind, 'altered', 'a file that was changed')
    await writeFile(file, text)
    assert.equal((await again.audit.verify()).fault?.kind, 'cut')
  })

  scenario('what is old goes, and what stays is whole by itself', async ({ store, database, open }) => {
    await store.close()
    let time = Date.parse('2025-01-01T00:00:00.000Z')
    const timed = await open({ now: () => new Date(time) })
    const [first, second] = [await timed.audit.begin(auditNote), await timed.audit.begin(auditNote)]
    await timed.audit.end(second, 'done')
    time = Date.parse('2026-06-01T00:00:00.000Z')
    await timed.audit.end(first, 'busy')
    for (let at = 0; at < 16; at++) await timed.audit.end(await timed.audit.begin(auditNote), 'done')
    const kept = await timed.audit.list({ limit: 100 })
    assert.deepEqual([kept.at(-1)?.begun.slice(0, 4), kept.length], ['2026', 16])
    assert.deepEqual(await timed.audit.verify(), { entries: 16, fault: null })
    await database.execute(
      `update audit set begun = '2020-01-01T00:00:00.000Z' where seq = ${kept.at(-1)?.id}`,
    )
    for (let at = 0; at < 16; at++) await timed.audit.end(await timed.audit.begin(auditNote), 'done')
    const found = (await timed.audit.verify()).fault
    assert.deepEqual(
      [found?.kind, found?.id],
      ['altered', kept.at(-1)?.id],
      'it is not let go of for its age',
    )
    await database.execute(`delete from audit where seq = ${kept.at(-1)?.id}`)
    assert.equal((await timed.audit.verify()).fault?.kind, 'missing', 'no more than is old goes unnoticed')
    await timed.close()
  })

  scenario('the audit is asked by time, app and who', async ({ store }) => {
    await writeAudit(store)
    const ask = async (query: object) => (await store.audit.list({ limit: 9, ...query })).map(({ id }) => id)
    assert.deepEqual(await ask({ app: 'shop' }), [4, 2])
    assert.deepEqual(await ask({ after: 5 }), [3, 4, 5], 'by what was written last of each')
    assert.deepEqual(await ask({ after: 5, limit: 2 }), [3, 4])
    await store.audit.end(5, 'done')
    assert.deepEqual(await ask({ after: 9 }), [5], 'what has ended since')
    assert.deepEqual(await ask({ actor: 'bob', app: 'shop' }), [4])
    assert.deepEqual(await ask({ since: '2000-01-01T00:00:00.000Z' }), [5, 4, 3, 2, 1])
    assert.deepEqual(await ask({ since: '2100-01-01T00:00:00.000Z' }), [])
  })

  scenario('of a very long audit the newest is kept', async ({ store, database }) => {
    const note = auditNote
    await store.audit.begin(note)
    const numbers = 'with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)'
    await database.execute(
      `insert into audit (caller, verb, begun) ${numbers} select 'bob', 'prune', '2026-01-01' from n`,
    )
    assert.equal((await store.audit.list({ limit: 30_000 })).length, 20_001)
    // It is looked at with every sixteenth.
    let newest = 0
    while (newest % 16 !== 0 || newest === 0) newest = await store.audit.begin(note)
    const kept = await store.audit.list({ limit: 30_000 })
    assert.deepEqual([kept.length, kept[0]?.caller, kept.at(-1)?.caller], [20_000, 'alice', 'bob'])
    await store.audit.begin(note)
    assert.equal((await store.audit.list({ limit: 30_000 })).length, 20_001, 'and not each time')
  })
}
