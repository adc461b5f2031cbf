import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import { wordsOf } from '../support/example-words.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { commandsOf } from '../support/page-commands.ts'
import { makeSource } from '../support/source.ts'

const compose = `services:
  web:
    image: busybox:1
    command: httpd -f -p 3000 -h /data
    ports: ["80:3000"]
    volumes: ["data:/data"]
    stop_grace_period: 1s
volumes: { data: {} }
`

/** What is not run here, and why. */
const leftOut: Record<string, string> = {
  'rack prune --build-cache': 'takes the cache of builds of the whole machine, which is others’ too',
  'rack update rack_0.2.0_amd64.deb': 'dpkg installs it on this machine: test/long/packaged-server.test.ts',
  'rack restore FILE': 'a word for a file: the one of this page is restored in the end',
}

/** How a command ends that does not end with 0 here, or by itself. */
interface Ending {
  codes: number[]
  says: RegExp
}

const endings: Record<string, Ending> = {
  // It tells of this machine.
  'rack doctor': { codes: [0, 1], says: /docker engine/ },
  'rack apps cancel shop': { codes: [1], says: /nothing of "?shop"? /i },
  'rack domains check shop.example.com': { codes: [1], says: /shop\.example\.com/ },
  'rack certs renew shop.example.com': { codes: [1], says: /rack certs acme/ },
}

/** They ask first where somebody is there. */
const asking = new Set(['rack tokens revoke ci'])

test('each command of docs/operations.md is run on a rack that has what the page speaks of', async () => {
  await using rack = await installRack()
  await using source = await makeSource({ 'docker-compose.yml': compose })
  const home = dirname(rack.directory)
  await writeFile(join(home, 'backup.pass'), 'four words that nobody guesses\n')
  await prepare(rack, source.path)

  const commands = [...new Set(commandsOf('docs/operations.md').map(({ text }) => text))]
  const [restores, others] = [commands.filter(isRestore), commands.filter((text) => !isRestore(text))]
  const unknown = [...Object.keys(leftOut), ...Object.keys(endings)].filter(
    (text) => !commands.includes(text),
  )
  assert.deepEqual(unknown, [], 'what is told here of commands is of the page')
  const run = others.filter((text) => leftOut[text] === undefined)
  for (const text of run) await runShown(rack, home, text)
  assert.equal(commands.length - run.length - restores.length, Object.keys(leftOut).length)

  await rack.run('uninstall', '--yes', '--volumes')
  for (const text of restores) {
    const said = await rack.attempt([...wordsOf(text), '--dir', rack.directory], { cwd: home })
    assert.equal(said.code, 0, `${text}\n${said.stderr}`)
  }
  const [shop] = await rack.json<{ name: string; status: string }[]>('apps')
  assert.deepEqual([shop?.name, shop?.status], ['shop', 'running'])
})

const isRestore = (text: string) => text.startsWith('rack restore ') && leftOut[text] === undefined

/** An app with a volume and two releases, a service, a domain and a token, as the page names them. */
async function prepare(rack: InstalledRack, source: string): Promise<void> {
  await rack.run('deploy', '--app', 'shop', source)
  await rack.run('env', 'set', '--app', 'shop', '--promote', 'GREETING=hello')
  await rack.run('services', 'create', 'redis', '--name', 'main')
  await rack.run('domains', 'add', 'shop.example.com', '--app', 'shop')
  await rack.run('tokens', 'create', 'ci', '--role', 'read')
}

async function runShown(rack: InstalledRack, home: string, text: string): Promise<void> {
  if (text === 'rack events') return await watchEvents(rack)
  if (text.startsWith('rack top')) return await watchUse(rack, wordsOf(text))
  const { codes, says } = endings[text] ?? { codes: [0], says: /^/ }
  const words = [...wordsOf(text), ...(asking.has(text) ? ['--yes'] : [])]
  const { code, stdout, stderr } = await rack.attempt(words, { cwd: home })
  const said = `${stdout}${stderr}`
  assert.ok(codes.includes(code ?? -1), `${text} ended with ${code}\n${said}`)
  assert.match(said, says, text)
}

/** It goes on until Ctrl-C. */
async function watchEvents(rack: InstalledRack): Promise<void> {
  const { child, said } = rack.start(['events'])
  let isTold = false
  child.stdout!.once('data', () => (isTold = true))
  // Whether it listens already when something changes is not known.
  const change = async () => {
    await rack.run('apps', 'lock', 'shop')
    await rack.run('apps', 'unlock', 'shop')
    return isTold
  }
  await until(change, { deadlineMs: 30_000, what: 'an event to be told' })
  child.kill('SIGINT')
  assert.equal((await said).code, 0)
}

async function watchUse(rack: InstalledRack, words: string[]): Promise<void> {
  const { child, said } = rack.start([...words, '--interval', '1'])
  await once(child.stdout!, 'data')
  child.kill('SIGINT')
  const { code, stdout } = await said
  assert.equal(code, 0)
  assert.match(stdout, /^ {2}web +1 of 1 /m)
}
