import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ensureImages } from '../../scripts/steps/images.ts'
import { until } from '../../src/lib/poll.ts'
import { findServiceType } from '../../src/services/service-types.ts'
import { mysql } from '../../src/services/types/mysql.ts'
import { createServerCertificates } from '../fake-aws/databases/certificates.ts'
import { startAwsOperations } from '../support/aws-operations.ts'
import {
  consoleInside,
  psqlClient,
  psqlInside,
  runInService,
  startLinkedApp,
  type LinkedClient,
} from '../support/linked-app.ts'

const servers = ['postgres:13', 'postgres:15', 'mysql:8.4', 'redis:7', 'valkey/valkey:8', 'memcached:1.6']
await ensureImages([...servers, 'busybox:1'])

let rack: Awaited<ReturnType<typeof startAwsOperations>>
before(async () => {
  rack = await startAwsOperations()
})
after(async () => await rack[Symbol.asyncDispose]())

/** That what the rack says to a service is said to nobody whose certificate somebody else has signed. */
async function assertChecked(service: string): Promise<void> {
  const { type } = await rack.operations.getService(service, rack.control)
  const { command } = findServiceType(type)!.ready!
  const { authority } = await createServerCertificates()
  const script =
    'cat >/tmp/other.pem && SERVICE_AUTHORITIES=/tmp/other.pem PGSSLROOTCERT=/tmp/other.pem exec "$@"'
  const asked = { command: ['sh', '-c', script, 'sh', ...command], input: authority, secrets: [] }
  await assert.rejects(runInService(rack, service, asked), /certificate/i)
}

test('a database of RDS: linked by logins of its own, backed up, and gone but for its last snapshot', async () => {
  const { operations, control, account, store } = rack
  const old = { type: 'postgres', name: 'main', managed: true, version: '13' }
  await operations.createService(old, control)
  const made = await operations.getService('main', control)
  assert.deepEqual([made.status, made.run?.managed, made.run?.says?.split('.')[0]], ['running', true, '13'])
  // A daemon that died meanwhile is followed by one that finds what was made.
  const { host, ...asked } = (await store.services.run('main'))!.managed!
  const found = await rack.reopen().provision({ name: 'main', ...asked, logins: [] }, control)
  assert.deepEqual([found.host, found.password], [host, asked.password])
  const app = await startLinkedApp(rack, 'shop', psqlClient)
  await app.link('main')
  await app.say("create table notes as select 'kept' as text")
  assert.equal(await app.say('select current_user, text from notes'), 'shop_db|kept')

  const takesLogin = async () => (await operations.checkLinks({ app: 'shop' }, control))[0]?.loginMs ?? null
  await until(takesLogin, { deadlineMs: 60_000, intervalMs: 500, what: 'the login of the link to be taken' })

  // The administrator's password is in the store and in the account: in no link, and nothing shows it.
  const { password } = asked
  const links = await operations.processEnvironment('shop', 'web')
  assert.ok(!JSON.stringify(links).includes(password))
  const StackName = `rack-${rack.rack}-service-main`
  const { Stacks = [] } = await rack.clients.stacks.describeStacks({ StackName })
  assert.ok(!JSON.stringify(Stacks).includes(password))

  // What every client of Postgres sends first, and the server answers by a letter.
  const stream = await operations.connectService('main', control)
  await stream.input(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]))
  const { value } = await stream.output[Symbol.asyncIterator]().next()
  assert.match(String(value), /^[NS]$/)
  stream.close()

  const startedAt = async () => await consoleInside(rack, 'main', null, 'select pg_postmaster_start_time()')
  const before = await startedAt()
  await operations.restartService('main', control)
  assert.notEqual(await startedAt(), before)

  const newer = { version: '15', pauseMs: 1000 }
  const { service } = await operations.updateService('main', newer, control)
  assert.deepEqual([service.run?.image, service.run?.says?.split('.')[0]], ['postgres:15', '15'])
  assert.equal(await app.say('select current_user, text from notes'), 'shop_db|kept')
  const older = operations.updateService('main', { ...newer, version: '14' }, control)
  await assert.rejects(older, /main is of version 15, and the account takes none back/)

  await assertChecked('main')
  // A host of another name is not taken for it, though its certificate is of the same authority.
  const elsewhere = `PGHOSTADDR=$(getent hosts "$PGHOST" | cut -d ' ' -f 1) PGHOST=db.example.com psql -U postgres -c 'select 1'`
  const asking = runInService(rack, 'main', { command: ['sh', '-c', elsewhere], input: '', secrets: [] })
  await assert.rejects(asking, /does not match host name/)

  const backup = await operations.backupService('main', 'asked', control)
  await assert.rejects(
    operations.restoreBackup(backup.id, { inPlace: true, force: true }, control),
    /the account runs main/,
  )
  await app.remove()
  // Somebody tries by hand: what is protected stays, and the rack can still take it away.
  await rack.clients.stacks.deleteStack({ StackName })
  const hasFailed = async () => {
    const { Stacks: [stack] = [] } = await rack.clients.stacks.describeStacks({ StackName })
    return stack?.StackStatus === 'DELETE_FAILED'
  }
  await until(hasFailed, { deadlineMs: 60_000, intervalMs: 100, what: 'a removal by hand to fail' })
  await assert.rejects(
    operations.updateService('main', { memoryBytes: 2 ** 32, pauseMs: 1000 }, control),
    /main stays as it is: somebody has begun to delete .+ \(DELETE_FAILED\)/,
  )
  const { snapshot } = await operations.deleteService('main', { volumes: false }, control)
  assert.match(snapshot ?? '', new RegExp(`^rack-${rack.rack}-service-main-snapshot-database-`))
  assert.deepEqual(await operations.listServices(control), [])
  assert.equal(
    await rack.reopen().deprovision({ name: 'main', identity: asked.identity! }, control),
    snapshot,
  )
  // What an earlier one of its name has left is not told as that of another.
  assert.equal(await rack.reopen().deprovision({ name: 'main', identity: 'another' }, control), null)

  // What was backed up there is put into one that runs from an image.
  await operations.restoreBackup(backup.id, { into: 'main' }, control)
  assert.equal(await psqlInside(rack, 'main', 'shop_db', 'select text from notes'), 'kept')
  assert.deepEqual(account.troubles, [])
  assert.deepEqual(account.calls.refused, [])
})

function isTold(said: RegExp): void {
  const told = rack.progress.flatMap((each) => (each.type === 'log' ? each.text : []))
  assert.ok(
    told.some((text) => said.test(text)),
    String(said),
  )
}

/** MariaDB's program, which this machine's image has. */
const mysqlClient: LinkedClient = {
  image: 'mysql:8.4',
  script:
    'MYSQL_PWD=$DB_PASSWORD exec mariadb --host="$DB_HOST" --user="$DB_USERNAME" --batch --skip-column-names "${DB_PATH#/}" --execute="$1" 2>&1',
}

test('a mysql of RDS: encrypted for the rack, its sessions ended by RDS, its views and triggers put back', async () => {
  const { operations, control, account } = rack
  await operations.createService({ type: 'mysql', name: 'books', managed: true }, control)
  isTold(
    /^RDS bills a db\.t4g\.micro .+, and Extended Support once its standard support of mysql 8\.4 has ended: /,
  )
  const app = await startLinkedApp(rack, 'desk', mysqlClient)
  await app.link('books')
  await app.say(
    'create table notes (text varchar(20)); create view seen as select text from notes; create trigger loud before insert on notes for each row set new.text = upper(new.text)',
  )
  await app.say("insert into notes values ('kept')")
  assert.match(await app.say('select current_user(), text from seen'), /^desk_db_v1@%\tKEPT$/m)
  const status = "SHOW SESSION STATUS LIKE 'Ssl_version'; SHOW GRANTS;"
  const said = await consoleInside(rack, 'books', null, status)
  assert.match(said, /Ssl_version\s+TLSv1/)
  assert.doesNotMatch(said, /ALL PRIVILEGES|SUPER/)

  await assertChecked('books')

  const backup = await operations.backupService('books', 'asked', control)
  const ended = assert.rejects(app.say('select sleep(600)'), /ERROR 20(06|13|26) /)
  const isAsleep = async () =>
    (await consoleInside(rack, 'books', null, 'SHOW PROCESSLIST;')).includes('sleep(600)')
  await until(isAsleep, { deadlineMs: 60_000, intervalMs: 500, what: 'a session to sleep' })
  const login = { data: 'desk_db', username: 'desk_db_v1', keyPrefix: null }
  await runInService(rack, 'books', mysql.logins!.revoke(login))
  await ended
  await app.remove()
  const [{ snapshot }] = await Promise.all([
    operations.deleteService('books', { volumes: false }, control),
    operations.restoreBackup(backup.id, { into: 'again', managed: true }, control),
  ])
  assert.match(snapshot ?? '', /service-books-snapshot-database-/)
  const insert = "insert into notes values ('more'); select text from seen;"
  assert.match(await consoleInside(rack, 'again', 'desk_db', insert), /KEPT\s+MORE/)
  await account.databases.deleteByHand(`rack-${rack.rack}-service-again`)
  const ill = await operations.getService('again', control)
  assert.equal(ill.status, 'degraded')
  assert.match(ill.detail ?? '', /takes no login; was it deleted or stopped there\? ./)
  assert.deepEqual(await operations.deleteService('again', { volumes: false }, control), { snapshot: null })
  assert.deepEqual(account.troubles, [])
  assert.deepEqual(account.calls.refused, [])
})

const redisClient: LinkedClient = {
  image: 'redis:7',
  script: 'redis-cli -u "$DB_URL" --insecure --no-auth-warning $1 2>&1',
}

test('a redis, a valkey and a memcached of ElastiCache: let in and kept out by the account, encrypted where users are', async () => {
  const { operations, control, account } = rack
  const kinds = ['redis', 'valkey', 'memcached']
  const versions: Record<string, string> = { valkey: '8.1', memcached: '1.6.17' }
  const make = async (type: string) => {
    const version = versions[type]
    const asked = { type, name: type, managed: true, ...(version !== undefined && { version }) }
    return await operations.createService(asked, control)
  }
  const made = await Promise.all(kinds.map(make))
  // The fake's own prices.
  isTold(/^ElastiCache bills a cache\.t4g\.micro by the hour, and snapshots: .+ 273\.75 USD in 730 hours/)
  assert.deepEqual(
    made.map(({ service }) => [service.status, /^[78]\.|^1\.6/.test(service.run!.says!)]),
    [
      ['running', true],
      ['running', true],
      ['running', true],
    ],
  )
  const larger = { memoryBytes: 2 ** 30, pauseMs: 1000 }
  await assert.rejects(
    operations.updateService('memcached', larger, control),
    /memcached stays as large as it is: CloudFormation gives/,
  )
  const changed = [
    operations.updateService('valkey', { ...larger, version: '8' }, control),
    operations.updateService('memcached', { version: '1.6', pauseMs: 1000 }, control),
  ]
  const app = await startLinkedApp(rack, 'till', redisClient)
  for (const { service } of await Promise.all(changed)) assert.equal(service.status, 'running')
  isTold(
    /^ElastiCache bills a cache\.t4g\.small .+: Valkey cache cache\.t4g\.small of ElastiCache 0\.625 an hour/,
  )
  const StackName = `rack-${rack.rack}-service-valkey`
  const statusOfValkey = async () => {
    const { Stacks } = await rack.clients.stacks.describeStacks({ StackName }).catch(() => ({ Stacks: [] }))
    return Stacks?.[0]?.StackStatus ?? null
  }
  assert.equal(await statusOfValkey(), 'UPDATE_COMPLETE')
  await app.link('redis', { keyPrefix: 'till:', beside: ['valkey', 'memcached'] })
  const environment = await operations.processEnvironment('till', 'web')
  assert.match(
    JSON.stringify(environment),
    /rediss:\/\/till_db_v1:[^@]+@master\.rack-[^:]+\.cache\.amazonaws\.com:6379/,
  )
  assert.equal(await app.say('SET till:notes kept'), 'OK')
  assert.equal(await app.say('GET till:notes'), 'kept')
  assert.match(await app.say('GET others'), /NOPERM/)
  const opened = async () =>
    (await operations.checkLinks({ app: 'till' }, control)).map(({ problem }) => problem)
  assert.deepEqual(await opened(), [null, null, null])
  assert.match(await consoleInside(rack, 'redis', null, 'BGSAVE'), /NOPERM/)
  for (const name of ['redis', 'valkey']) await assertChecked(name)
  const refused = /ElastiCache lets nobody take a copy/
  await assert.rejects(operations.backupService('redis', 'asked', control), refused)

  await app.remove()
  const isGone = async () => {
    const users = ['redis', 'valkey'].map((name) => consoleInside(rack, name, null, 'ACL USERS'))
    return !(await Promise.all(users)).join(' ').includes('till_db_v1')
  }
  await until(isGone, { deadlineMs: 60_000, intervalMs: 500, what: 'the login to be gone' })
  const drop = async (name: string) =>
    (await operations.deleteService(name, { volumes: false }, control)).snapshot
  const isSettled = async () => (await statusOfValkey()) === 'UPDATE_COMPLETE'
  await until(isSettled, { deadlineMs: 60_000, intervalMs: 100, what: 'the stack of the valkey to settle' })
  // What somebody takes away by hand meanwhile is not made again, empty.
  await rack.clients.stacks.deleteStack({ StackName })
  const again = assert.rejects(
    operations.updateService('valkey', { memoryBytes: 2 ** 31, pauseMs: 1000 }, control),
    /the account has valkey no more: its stack rack-.+-service-valkey is gone; snapshots of it/,
  )
  const [ofRedis, ofMemcached] = await Promise.all([drop('redis'), drop('memcached'), again])
  assert.equal(await statusOfValkey(), null)
  assert.match(ofRedis ?? '', /^the one of rack-[0-9a-f]{16}$/)
  assert.deepEqual([await drop('valkey'), ofMemcached], [null, null])
  assert.deepEqual(account.troubles, [])
  assert.deepEqual(account.calls.refused, [])
})
