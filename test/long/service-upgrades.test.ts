import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { ensureImages } from '../../scripts/steps/images.ts'
import { until } from '../../src/lib/poll.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'

await ensureImages(['postgres:13', 'postgres:15'])

const compose = `services:
  web:
    image: postgres:15
    command: sleep 3600
    stop_grace_period: 1s
`

/** Writes one number after the other, and says each that was acknowledged; how those that fail, on the other stream. */
const writer = `number=0
while :; do
  number=$((number + 1))
  until PGCONNECT_TIMEOUT=20 psql --no-psqlrc --quiet "$DB_URL" -c "insert into notes values ($number) on conflict do nothing" 2>&1 >/dev/null | sed 's/^/refused: /' | grep . ; [ "\${PIPESTATUS[0]}" = 0 ]; do sleep 0.1; done
  echo "$number"
done`

test('an upgrade from 13 to 15 loses nothing that was acknowledged, and goes back', async (context) => {
  await using rack = await installRack()
  await using source = await makeSource({ 'docker-compose.yml': compose })
  await rack.run('services', 'create', 'postgres', '--version', '13', '--name', 'main')
  await rack.run('deploy', '--app', 'shop', source.path)
  await rack.run('links', 'create', 'main', '--as', 'db', '--app', 'shop', '--promote')
  await sql(rack, 'create table notes (id int primary key)')
  await sql(
    rack,
    'create table bulk as select id, md5(id::text) as text from generate_series(1, 200000) as id',
  )

  const [copy] = await rack.json<{ id: string }[]>('ps', '--app', 'shop')
  const writing = rack.start(['exec', '--app', 'shop', copy!.id, 'bash', '-c', writer])
  let said = ''
  writing.child.stdout!.on('data', (chunk: Buffer | string) => (said += String(chunk)))
  const newest = () => Number(said.match(/^\d+$/gm)?.at(-1) ?? 0)
  const reaches = async (count: number) =>
    await until(() => newest() >= count, { deadlineMs: 120_000, what: `${count} writes` })
  await reaches(20)

  const upgraded = await rack.attempt(['services', 'update', 'main', '--version', '15', '--pause', '10m'])
  assert.equal(upgraded.code, 0, upgraded.stderr)
  context.diagnostic(upgraded.stderr)
  assert.match(upgraded.stderr, /its data \([^)]+ on its disk\) goes into a new volume, about /)
  assert.match(upgraded.stderr, /nobody reached it for /)
  await reaches(newest() + 20)
  writing.child.kill('SIGINT')
  await once(writing.child, 'close')
  const acknowledged = newest()
  const refusals = new Set(said.match(/^refused: .*$/gm)?.map((line) => line.replace(/\d+/g, 'N')))
  context.diagnostic(`meanwhile the app met: ${[...refusals].join('; ') || 'nothing but waiting'}`)
  const all = `select count(*) from notes where id <= ${acknowledged}`
  assert.equal(await sql(rack, all), String(acknowledged))
  assert.equal(await sql(rack, 'select count(*), count(distinct text) from bulk'), '200000|200000')
  assert.match(await sql(rack, 'show server_version'), /^15/)
  const info = await rack.run('services', 'info', 'main')
  assert.match(info, /kept +what it was as postgres:13/)

  // What takes too long is undone; so is what somebody ends.
  await rack.run('services', 'update', 'main', '--undo', '--yes')
  assert.match(await sql(rack, 'show server_version'), /^13/)
  assert.ok(Number(await sql(rack, 'select count(*) from notes')) >= 20)
  const late = await rack.attempt(['services', 'update', 'main', '--version', '15', '--pause', '1s', '--yes'])
  assert.match(late.stderr, /main is not upgraded within 1 s; it is as it was/)
  assert.match(await sql(rack, 'show server_version'), /^13/)

  await rack.run('services', 'update', 'main', '--version', '15', '--pause', '10m')
  await rack.run('services', 'update', 'main', '--finish', '--yes')
  assert.match(await sql(rack, 'show server_version'), /^15/)
  await rack.run('services', 'update', 'main', '--memory', '600m')
  assert.equal(await sql(rack, 'select count(*) from bulk'), '200000')
})

/** Runs a statement in the app's copy, as its link says. */
async function sql(rack: InstalledRack, statement: string): Promise<string> {
  const [copy] = await rack.json<{ id: string }[]>('ps', '--app', 'shop')
  const script = `psql --no-psqlrc --quiet --tuples-only --no-align "$DB_URL" -c "${statement}" 2>&1`
  return (await rack.attempt(['exec', '--app', 'shop', copy!.id, 'sh', '-c', script])).stdout.trim()
}
