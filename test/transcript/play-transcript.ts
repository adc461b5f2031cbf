import assert from 'node:assert/strict'
import { cp, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '../../src/lib/poll.ts'
import type { Said } from '../support/command-line.ts'
import { ask, startLoad } from '../support/load.ts'
import { domain, type Stage } from './stage.ts'

const example = fileURLToPath(new URL('../../examples/guestbook', import.meta.url))
const host = `guestbook.${domain}`
const app = ['--app', 'guestbook']

/**
 * What a new user types, from an empty place to an empty place, and what they must see.
 * @param say hears a line about what comes, and all that is typed and answered
 * @throws what is not as it must be
 */
export async function playTranscript(stage: Stage, say: (text: string) => void): Promise<void> {
  const typed = (words: string[], { stdout, stderr }: Said) => {
    say(
      [`$ rack ${words.join(' ')}`, stdout.trimEnd(), stderr.trimEnd()]
        .filter((text) => text !== '')
        .join('\n'),
    )
  }
  const attempt = async (words: string[]) => {
    const said = await stage.type(words)
    typed(words, said)
    return said
  }
  const run = async (...words: string[]) => {
    const said = await attempt(words)
    assert.equal(
      said.code,
      0,
      `rack ${words.join(' ')} ended with ${said.code}\n${said.stdout}\n${said.stderr}`,
    )
    return said
  }

  if (stage.plan) {
    say('\n# What it would make')
    assert.match((await run(...stage.plan.words)).stdout, stage.plan.says)
    assert.deepEqual(await stage.left(), [])
  }
  say('\n# Install')
  const installed = await stage.install()
  say(`${installed.stdout}${installed.stderr}`.trimEnd())
  assert.equal(installed.code, 0, installed.stderr)

  say('\n# Deploy the guestbook')
  await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-transcript-'))
  const source = join(directory.path, 'guestbook')
  await cp(example, source, { recursive: true })
  const file = join(source, 'docker-compose.yml')
  const redis = await stage.image('redis:7')
  await writeFile(file, (await readFile(file, 'utf8')).replace('redis:7', redis))
  await run('deploy', ...app, source)
  const door = await stage.door()
  const book = { port: door.https, ca: door.ca, host }
  const body = new URLSearchParams({ name: 'Ada', message: 'first of all' }).toString()
  assert.equal((await ask({ ...book, path: '/entries', method: 'POST', body })).status, 303)
  const page = async () => (await ask(book)).body
  await until(async () => (await page()).includes('first of all'), { deadlineMs: 10_000, what: 'the entry' })
  const versions = async () => (await ask({ ...book, path: '/version' })).body.trim()
  const first = await versions()

  say('\n# Deploy under load')
  const load = startLoad({ ...book, path: '/version', connections: 8, restMs: 5 })
  try {
    const web = join(source, 'web.js')
    const code = await readFile(web, 'utf8')
    await writeFile(web, code.replace('There is no such page.', 'No such page.'))
    await run('deploy', ...app, source)
    await until(async () => (await versions()) !== first, { deadlineMs: 10_000, what: 'the new release' })

    say('\n# A release that does not come up: nothing moves')
    const second = await versions()
    await writeFile(web, `console.error('the book is closed')\nprocess.exit(7)\n${code}`)
    const broken = await attempt(['deploy', ...app, source])
    assert.equal(broken.code, 1)
    assert.match(broken.stderr, /web[^]*exit[^]*7/)
    assert.match(broken.stderr, /the book is closed/)
    assert.equal(await versions(), second)
    assert.match(await page(), /first of all/)
  } finally {
    const { requests, failures, bodies } = await load.stop()
    say(
      `${requests} requests meanwhile, ${Object.values(failures).reduce((sum, count) => sum + count, 0)} failed`,
    )
    assert.deepEqual(failures, {})
    assert.equal(Object.keys(bodies).length, 2, `answered by releases ${Object.keys(bodies).join()}`)
    assert.ok(requests > 100, `${requests} requests`)
  }

  say('\n# Scale, run, exec, logs')
  await run('scale', ...app, 'web=3')
  assert.equal((await run('ps', ...app)).stdout.match(/ web +running /g)?.length, 3)
  const oneOff = await attempt([
    'run',
    ...app,
    '--no-stdin',
    'web',
    '--',
    'node',
    '-e',
    'console.log(6 * 7); process.exit(3)',
  ])
  assert.deepEqual([oneOff.code, oneOff.stdout], [3, '42\n'])
  const inside = await run('exec', ...app, 'web', 'node', '-p', 'process.env.GREETING')
  assert.equal(inside.stdout, 'Glad you came by\n')
  const isLogged = async () =>
    /web of release R\w+ listens on 3000/.test((await stage.type(['logs', ...app])).stdout)
  await until(isLogged, { deadlineMs: 20_000, what: 'the line of the web' })
  await run('logs', ...app, '--tail', '3')

  say('\n# A service, linked')
  await run(...stage.service(redis))
  await run('links', 'create', 'main', '--as', 'db', ...app, '--promote')
  assert.match(
    (await run('links', 'check', ...app)).stdout,
    /^guestbook +db → main +web \(P\w+\) +[\d.]+ ms/m,
  )
  assert.match(await page(), /first of all/)

  say('\n# Https')
  assert.equal((await ask({ port: door.http, host })).status, stage.plainStatus)
  assert.equal((await ask({ ...book, path: '/health' })).body, 'ok\n')
  say(
    `https://${host} is answered under a certificate that a browser is told to believe; http: ${stage.plainStatus}`,
  )

  say('\n# Leave')
  await run(...stage.uninstall)
  assert.deepEqual(await stage.left(), stage.stays)
  say(stage.stays.length === 0 ? 'nothing is left' : `left: ${stage.stays.join(', ')}`)
}
