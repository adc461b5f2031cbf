import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { createAuthority, issueCertificate } from '../../src/lib/x509/issue.ts'
import { until } from '../../src/lib/poll.ts'
import { freePort, installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'

const run = promisify(execFile)
const compose = `services:
  web:
    image: busybox:1
    command: httpd -f -p 3000 -h /data
    ports: ["80:3000"]
    volumes: ["data:/data"]
    environment: ["GREETING=\${GREETING:-none}"]
volumes: { data: {} }
`
const table = 'create table notes as select generate_series(1, 1000) as id'
const sum = 'select count(*), sum(id) from notes'

test('a rack that is gone is put back: the same answers, data, links, certificates and tokens', async () => {
  const httpsPort = await freePort()
  await using rack = await installRack(['--https-port', String(httpsPort)])
  const home = rack.directory.replace(/\/rack$/, '')
  const file = join(home, 'rack.backup')
  const [pass, wrong] = [join(home, 'pass'), join(home, 'wrong')]
  await writeFile(pass, 'four words that nobody guesses\n')
  await writeFile(wrong, 'five words that somebody guesses\n')
  await using source = await makeSource({ 'docker-compose.yml': compose })
  const authority = await withShop(rack, { source: source.path, home })
  const visit = async () => await visitOver(httpsPort, authority)
  const token = await rack.json<{ token: string }>('tokens', 'create', 'ci', '--role', 'read')
  const kept = (await rack.run('services', 'backup', 'main')).trim()
  const installation = JSON.parse(await readFile(join(rack.directory, 'rack.json'), 'utf8')) as {
    pool: { cidr: string }
  }
  const before = await answers(rack, visit)
  const { url: linked, ...rest } = before
  assert.deepEqual(rest, { page: 'what I wrote\n', greeting: 'hello', notes: '1000|500500' })
  assert.match(linked, /^postgres:/)

  const data = ['--volumes', '--services', '--no-images']
  const backedUp = await rack.attempt(['backup', ...data, '--passphrase-file', pass, '--output', file])
  assert.equal(backedUp.code, 0, backedUp.stderr)
  assert.match(backedUp.stderr, /not in it: logs of processes/)
  assert.doesNotMatch(backedUp.stderr, /not in it: the data of/)
  assert.deepEqual(
    (await readdir(join(rack.directory, 'store'))).filter((name) => name.endsWith('.tmp')),
    [],
  )
  const bytes = await readFile(file)
  assert.ok(!bytes.includes('what I wrote') && !bytes.includes('shop'))

  const there = await rack.attempt(['restore', file, '--passphrase-file', pass])
  assert.match(there.stderr, /there is a rack "e2e-[^"]+" already, and nothing was changed/)
  await rack.run('uninstall', '--yes', '--volumes')

  const place = ['--dir', rack.directory]
  const refused = async (from: string, secret: string, said: RegExp) => {
    const { code, stderr } = await rack.attempt(['restore', from, '--passphrase-file', secret, ...place])
    assert.equal(code, 1)
    assert.match(stderr, said)
    assert.doesNotMatch(await leftOf(rack), /./)
    assert.ok(!(await readdir(home)).includes('rack'))
  }
  await refused(file, wrong, /that is not the passphrase of/)
  const cut = join(home, 'cut.backup')
  await writeFile(cut, bytes.subarray(0, bytes.length - 1))
  await refused(cut, pass, /it is cut, or was altered/)

  // Ended while it is under way.
  const begun = rack.start(['restore', file, '--passphrase-file', pass, ...place])
  const isBegun = async () => (await readdir(home)).includes('rack')
  await until(isBegun, { deadlineMs: 60_000, intervalMs: 10, what: 'the restore to begin' })
  begun.child.kill('SIGHUP')
  const ended = await begun.said
  assert.equal(ended.code, 130, ended.stderr)
  assert.match(ended.stderr, /the restore was interrupted: nothing of it was left/)
  assert.doesNotMatch(await leftOf(rack), /./)
  assert.ok(!(await readdir(home)).includes('rack'))

  // As one that was killed while it filled the directory leaves it.
  await mkdir(join(rack.directory, 'store'), { recursive: true })
  await writeFile(join(rack.directory, 'unfinished'), '{"pid":1,"startTicks":-1}')
  await writeFile(join(rack.directory, 'rack.json'), JSON.stringify(installation))
  const half = await rack.attempt(['start', ...place])
  assert.match(half.stderr, /has not come to its end[\s\S]*rack restore FILE --dir/)

  const restored = await rack.attempt(['restore', file, '--passphrase-file', pass, ...place])
  assert.equal(restored.code, 0, restored.stderr)
  assert.match(restored.stderr, /half of a rack, which an earlier restore has left in/)
  const names = (await rack.json<{ name: string }[]>('tokens')).map(({ name }) => name.replace(/-.*/, ''))
  assert.deepEqual(names.sort(), ['ci', 'install', 'restore'])
  assert.match(restored.stderr, /taking in [\s\S]* is back \(1 apps?\)/)
  const isBack = async () => (await rack.json<{ status: string }>('status')).status === 'running'
  await until(isBack, { deadlineMs: 60_000, intervalMs: 200, what: 'the rack to be back' })
  assert.deepEqual(await answers(rack, visit), before)
  assert.match(await rack.run('services', 'backups'), new RegExp(`^${kept} `, 'm'))
  await rack.run('audit', 'verify')
  assert.match(await rack.run('links', 'check', '--app', 'shop'), /./)
  const { pool } = JSON.parse(
    await readFile(join(rack.directory, 'rack.json'), 'utf8'),
  ) as typeof installation
  assert.deepEqual(pool, installation.pool)
  const url = `unix:${join(rack.directory, 'api.sock')}`
  const asked = await rack.attempt(['apps'], {
    env: { ...rack.env, RACK_NAME: '', RACK_TOKEN: token.token, RACK_URL: url },
  })
  assert.match(asked.stdout, /^shop /m)
  const objects = await readdir(join(rack.directory, 'objects'), { recursive: true })
  assert.deepEqual(
    objects.filter((name) => name.includes('restore')),
    [],
  )
})

/** An app with a volume, a variable, a linked database and a domain with a certificate; gives who signed that. */
async function withShop(
  rack: InstalledRack,
  { source, home }: { source: string; home: string },
): Promise<string> {
  await rack.run('services', 'create', 'postgres', '--name', 'main')
  await rack.run('apps', 'create', 'shop')
  await rack.run('env', 'set', 'GREETING=hello', '--app', 'shop')
  await rack.run('links', 'create', 'main', '--as', 'db', '--app', 'shop')
  await rack.run('deploy', source, '--app', 'shop')
  await inside(rack, 'web', 'echo what I wrote > /data/index.html')
  await sql(rack, table)
  await rack.run('domains', 'add', 'shop.example.com', '--app', 'shop', '--process', 'web')
  const span = { from: new Date(Date.now() - 1000), until: new Date(Date.now() + 30 * 86_400_000) }
  const authority = await createAuthority({ name: 'Uploads', ...span })
  const names = ['shop.example.com']
  const issued = await issueCertificate({ authority, names, ...span, usages: ['server'] })
  const [ca, certificate, key] = ['ca.pem', 'shop.pem', 'shop.key'].map((name) => join(home, name))
  await writeFile(ca!, authority.certificate)
  await writeFile(certificate!, authority.certificate + issued.certificate)
  await writeFile(key!, issued.key)
  await rack.run('certs', 'add', certificate!, key!)
  return ca!
}

async function answers(rack: InstalledRack, visit: () => Promise<string>) {
  return {
    page: await visit(),
    greeting: (await inside(rack, 'web', 'echo $GREETING')).trim(),
    notes: await sql(rack, sum),
    url: await inside(rack, 'web', 'echo $DB_URL'),
  }
}

/** The last line of what a console says. */
async function sql(rack: InstalledRack, statement: string): Promise<string> {
  const input = `\\pset format unaligned\n\\pset tuples_only\n${statement};\n`
  const { code, stdout, stderr } = await rack.attempt(['services', 'console', 'main'], { input })
  assert.equal(code, 0, stderr)
  return stdout.trim().split('\n').at(-1)!
}

async function inside(rack: InstalledRack, type: string, script: string): Promise<string> {
  const copies = await rack.json<{ id: string; type: string }[]>('ps', '--app', 'shop')
  const copy = copies.find((one) => one.type === type)
  return await rack.run('exec', '--app', 'shop', copy!.id, 'sh', '-c', script)
}

/** By its domain, with its certificate and nobody else's. */
async function visitOver(httpsPort: number, authority: string): Promise<string> {
  const host = `shop.example.com:${httpsPort}`
  const args = ['-sS', '--cacert', authority, '--resolve', `${host}:127.0.0.1`, `https://${host}/`]
  return (await run('curl', args)).stdout
}

/** What Docker has of the rack. */
async function leftOf({ name }: InstalledRack): Promise<string> {
  const filter = ['--filter', `label=com.rack.name=${name}`]
  const lists = [
    ['ps', '--all', '--quiet', ...filter],
    ['network', 'ls', '--quiet', ...filter],
    ['volume', 'ls', '--quiet', ...filter],
    ['image', 'ls', '--quiet', `rack/${name}/*/*`],
  ]
  const said = await Promise.all(lists.map(async (args) => (await run('docker', args)).stdout))
  return said.join('').trim()
}
