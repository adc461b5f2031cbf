import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'
import { visitLocally } from '../support/visits.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('../../bin/rack', import.meta.url))
const secret = 'what nobody else knows'
const compose = `services:
  web:
    build: .
    command: httpd -f -p 3000 -h /data
    ports: ["80:3000"]
    volumes: ["data:/data"]
    stop_grace_period: 1s
volumes: { data: {} }
`
const dockerfile = 'FROM busybox:1\nCOPY version /version\n'

test('an app goes from one rack to another with its releases, its environment and its data', async () => {
  await using origin = await installRack()
  await using target = await installRack()
  const home = dirname(origin.directory)
  const [pass, wrong, file] = ['pass', 'wrong', 'shop.app'].map((name) => join(home, name)) as [
    string,
    string,
    string,
  ]
  await writeFile(pass, 'four words that nobody guesses\n')
  await writeFile(wrong, 'five words that somebody guesses\n')
  await origin.run('apps', 'create', 'shop')
  await origin.run('env', 'set', `SECRET=${secret}`, '--app', 'shop')
  for (const version of ['one', 'two']) {
    await using source = await makeSource({ 'docker-compose.yml': compose, Dockerfile: dockerfile, version })
    await origin.run('deploy', source.path, '--app', 'shop')
  }
  await inside(origin, 'echo what I wrote > /data/index.html')
  const before = await answers(origin)
  assert.deepEqual(before, { page: 'what I wrote', secret, version: 'two' })

  const sealed = ['--passphrase-file', pass]
  const exported = await origin.attempt(['apps', 'export', 'shop', '--output', file, ...sealed])
  assert.equal(exported.code, 0, exported.stderr)
  assert.match(exported.stderr, /not in it: images of earlier releases[\s\S]*--all-images/)
  const bytes = await readFile(file)
  assert.ok(!bytes.includes(secret) && !bytes.includes('what I wrote'))
  const refused = async (from: string, by: string, said: RegExp) => {
    const { code, stderr } = await target.attempt(['apps', 'import', from, '--passphrase-file', by])
    assert.equal(code, 1)
    assert.match(stderr, said)
    assert.deepEqual(await target.json('apps'), [])
  }
  await refused(file, wrong, /that is not the passphrase of/)
  await writeFile(file, bytes.subarray(0, bytes.length - 1))
  await refused(file, pass, /it is cut, or was altered/)

  const piped = await run(
    'sh',
    ['-c', '$FROM apps export shop --all-images --output - $SEALED | $TO apps import - --promote $SEALED'],
    {
      env: { ...process.env, FROM: commandOf(origin), TO: commandOf(target), SEALED: sealed.join(' ') },
    },
  )
  assert.match(
    piped.stderr,
    /not in it: logs[\s\S]*putting in images[\s\S]*putting in the volume data[\s\S]*shop is live with R/,
  )
  // What it was is gone: the other rack has images of its own.
  await origin.run('apps', 'delete', 'shop', '--volumes', '--yes')
  await origin.run('prune')
  assert.deepEqual(await answers(target), before)
  await target.run('releases', 'rollback', '--app', 'shop')
  assert.deepEqual(await answers(target), { ...before, version: 'one' })
  const audit = await target.run('audit')
  assert.match(audit, /import app .* done/)
  assert.doesNotMatch(audit, new RegExp(secret))
})

function commandOf({ env, name }: InstalledRack): string {
  return `env XDG_CONFIG_HOME=${env['XDG_CONFIG_HOME']} RACK_NAME=${name} ${program}`
}

async function answers(rack: InstalledRack) {
  const page = (await visitLocally(rack.httpPort)('shop.localhost'))?.text
  const [known, version] = (await inside(rack, 'echo $SECRET; cat /version')).split('\n')
  return { page, secret: known, version }
}

async function inside(rack: InstalledRack, script: string): Promise<string> {
  const [copy] = await rack.json<{ id: string }[]>('ps', '--app', 'shop')
  return await rack.run('exec', '--app', 'shop', copy!.id, 'sh', '-c', script)
}
