import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import { startAccountRack, type AccountRack } from '../support/account-rack.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'
import { visitLocally } from '../support/visits.ts'

const undo = new AsyncDisposableStack()
let machine: InstalledRack
let account: AccountRack

before(async () => {
  ;[machine, account] = await Promise.all([installRack(), startAccountRack()])
  undo.use(machine)
  undo.use(account)
})
after(async () => {
  await undo.disposeAsync()
  assert.deepEqual(account.account.calls.refused, [])
  assert.deepEqual(account.account.troubles, [])
})

const secret = 'what nobody else knows'
const compose = `services:
  web:
    build: .
    command: httpd -f -p 3000 -h /data
    ports: ["80:3000"]
    volumes: ["data:/data"]
    stop_grace_period: 1s
    labels: { rack.draining.timeout: 1, rack.deployment.watch: 0.3 }
  cache:
    image: busybox:1
    pull_policy: if_not_present
    command: sleep 1000
    stop_grace_period: 1s
    labels: { rack.deployment.watch: 0.3 }
volumes: { data: {} }
`
const dockerfile = 'FROM busybox:1\nCOPY version /version\nRUN echo built > /built\n'

interface About {
  page: string | undefined
  said: string
}

test('what the other rack has not is refused at its line, and nothing is made', async () => {
  const [file, pass] = ['tool.app', 'pass'].map((name) => join(dirname(machine.directory), name)) as [
    string,
    string,
  ]
  await writeFile(pass, 'four words that nobody guesses\n')
  const sealed = ['--passphrase-file', pass]
  await using source = await makeSource({
    'docker-compose.yml': `services:
  web:
    image: busybox:1
    pull_policy: if_not_present
    command: sleep 1000
    group_add: ["7"]
    labels: { rack.deployment.watch: 0.3 }
`,
  })
  await machine.run('deploy', source.path, '--app', 'tool')
  await machine.run('apps', 'export', 'tool', '--output', file, ...sealed)
  const calls = account.account.calls.records.length
  const { code, stderr } = await account.attempt(['apps', 'import', file, ...sealed])
  assert.equal(code, 1)
  assert.match(stderr, /docker-compose\.yml:6:\d+.*group_add/)
  assert.deepEqual(
    (await account.json<{ name: string }[]>('apps')).map(({ name }) => name),
    [],
  )
  const made = account.account.calls.records
    .slice(calls)
    .filter(({ action }) => /^(Create|Register|Run|Put)/.test(action))
  // The archive itself, until it was read.
  assert.deepEqual(
    made.filter(({ service }) => service !== 's3'),
    [],
  )
})

test('an app goes from a machine into an account and back, with releases, environment, domain and data', async () => {
  const home = dirname(machine.directory)
  const pass = join(home, 'pass')
  await writeFile(pass, 'four words that nobody guesses\n')
  await machine.run('apps', 'create', 'shop')
  await machine.run('env', 'set', `SECRET=${secret}`, '--app', 'shop')
  for (const version of ['one', 'two']) {
    await using source = await makeSource({ 'docker-compose.yml': compose, Dockerfile: dockerfile, version })
    await machine.run('deploy', source.path, '--app', 'shop')
  }
  await machine.run('domains', 'add', 'shop.example.com', '--app', 'shop')
  await inside(machine, 'echo what I wrote > /data/index.html')
  const before = await about(machine)
  assert.deepEqual(before, { page: 'what I wrote', said: `${secret} two built` })
  const history = await releasesOf(machine)

  const there = join(home, 'there.app')
  await move({ from: machine, to: account, file: there, pass })
  await machine.run('apps', 'delete', 'shop', '--volumes', '--yes')
  await machine.run('prune')
  assert.deepEqual(await about(account), before)
  assert.deepEqual(await releasesOf(account), history)
  const isReached = async () =>
    (await visitLocally(account.httpPort)('shop.example.com'))?.text === before.page
  await until(isReached, { deadlineMs: 10_000, what: 'the domain to lead to the app' })
  await account.run('releases', 'rollback', '--app', 'shop')
  assert.deepEqual(await about(account), { ...before, said: `${secret} one built` })
  await inside(account, 'echo written in the account > /data/index.html')

  const back = join(home, 'back.app')
  await move({ from: account, to: machine, file: back, pass })
  const after = { page: 'written in the account', said: `${secret} one built` }
  assert.deepEqual(await about(machine), after)
  await machine.run('releases', 'promote', history[0]!, '--app', 'shop')
  assert.deepEqual(await about(machine), { ...after, said: `${secret} two built` })
})

const ends = { from: 'export', to: 'import' } as const

async function move({
  from,
  to,
  file,
  pass,
}: {
  from: InstalledRack
  to: InstalledRack
  file: string
  pass: string
}) {
  const sealed = ['--passphrase-file', pass]
  await from.run('apps', ends.from, 'shop', '--all-images', '--output', file, ...sealed)
  const came = await to.attempt(['apps', ends.to, file, '--promote', ...sealed])
  assert.equal(came.code, 0, came.stderr)
  assert.match(came.stderr, /shop is live with R/)
  assert.doesNotMatch(came.stderr, /are not here/)
}

async function about(rack: InstalledRack): Promise<About> {
  const page = (await visitLocally(rack.httpPort)('shop.localhost'))?.text
  return { page, said: (await inside(rack, 'echo $SECRET $(cat /version) $(cat /built)')).trim() }
}

async function inside(rack: InstalledRack, script: string): Promise<string> {
  return await rack.run('exec', '--app', 'shop', 'web', 'sh', '-c', script)
}

async function releasesOf(rack: InstalledRack): Promise<string[]> {
  return (await rack.json<{ id: string }[]>('releases', '--app', 'shop')).map(({ id }) => id)
}
