import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ensureImages } from '../../scripts/steps/images.ts'
import { startAwsOperations } from '../support/aws-operations.ts'
import { psqlClient, psqlInside, startLinkedApp } from '../support/linked-app.ts'

await ensureImages(['postgres:15', 'busybox:1'])

let rack: Awaited<ReturnType<typeof startAwsOperations>>
before(async () => {
  rack = await startAwsOperations()
})
after(async () => await rack[Symbol.asyncDispose]())

const owner = { kind: 'service' as const, name: 'main' }

test('a service runs from an image in the account: linked, backed up, put back, kept, and gone', async () => {
  const { operations, control, engine, account } = rack
  await operations.createService({ type: 'postgres', name: 'main' }, control)
  const app = await startLinkedApp(rack, 'shop', psqlClient)
  await app.link('main')
  await app.say("create table notes as select 'kept' as text")
  assert.match(await app.say('select current_user, text from notes'), /^shop_db\|kept$/)

  const backup = await operations.backupService('main', 'asked', control)
  await app.say("update notes set text = 'lost'")
  await operations.restoreBackup(backup.id, { inPlace: true, force: true }, control)
  assert.equal(await app.say('select text from notes'), 'kept')

  await assert.rejects(operations.deleteService('main', { volumes: true }, control), /linked by shop/)
  await app.remove()
  await operations.deleteService('main', { volumes: false }, control)
  assert.deepEqual(await engine.processes({ owner }, control), [])
  assert.equal((await engine.volumes({ owner }, control)).length, 1)
  await operations.createService({ type: 'postgres', name: 'main' }, control)
  assert.equal(await psqlInside(rack, 'main', 'shop_db', 'select text from notes'), 'kept')
  // RDS has what was backed up here, for logins that a link gets.
  await operations.restoreBackup(backup.id, { into: 'cloud', managed: true }, control)
  assert.equal(await psqlInside(rack, 'cloud', 'shop_db', 'select text from notes'), 'kept')
  const ownerOfNotes = "select tableowner from pg_tables where tablename = 'notes'"
  assert.equal(await psqlInside(rack, 'cloud', 'shop_db', ownerOfNotes), 'shop_db')
  await operations.deleteService('main', { volumes: true }, control)
  assert.deepEqual(await engine.volumes({ owner }, control), [])
  assert.deepEqual(account.troubles, [])
  assert.deepEqual(account.calls.refused, [])
})
