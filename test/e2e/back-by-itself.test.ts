import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import type { AppInfo, ReleaseInfo } from '../../src/operations/operations.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'
import { visitLocally } from '../support/visits.ts'

const patience = { deadlineMs: 60_000, intervalMs: 100 }

let rack: InstalledRack
before(async () => {
  rack = await installRack(['--cpu', '1024', '--memory', '2048M'])
})
after(async () => await rack[Symbol.asyncDispose]())

interface Serving {
  /** Seconds after which it listens. */
  startsIn?: number
  /** Seconds after which it exits with 3. */
  endsIn?: number
}

/** A process that answers with a word. */
const serving = (word: string, { startsIn = 0, endsIn }: Serving = {}) => {
  const httpd = `mkdir -p /www; echo ${word} > /www/index.html; sleep ${startsIn}; httpd -f -p 3000 -h /www`
  const command = endsIn === undefined ? `exec sh -c "${httpd}"` : `(${httpd}) & sleep ${endsIn}; exit 3`
  return {
    'docker-compose.yml': `services:
  web:
    image: busybox:1
    command: sh -c '${command}'
    ports: ["80:3000"]
    stop_grace_period: 1s
    labels: { rack.deployment.rollback: auto, rack.deployment.watch: 0.1 }
`,
  }
}

async function deploy(app: string, files: Record<string, string>): Promise<string> {
  await using source = await makeSource(files)
  await rack.run('deploy', '--app', app, source.path)
  return (await info(app)).release!
}

const info = async (app: string) => await rack.json<AppInfo>('apps', 'info', app)
const page = async (app: string) => (await visitLocally(rack.httpPort)(`${app}.localhost`))?.text

test('a release that crashes in its first minute goes back by itself, and that is told', async () => {
  const good = await deploy('shop', serving('good'))
  const bad = await deploy('shop', serving('bad', { endsIn: 6 }))
  const isBack = async () => {
    const { release, operation, status } = await info('shop')
    return release !== bad && operation === null && status === 'running'
  }
  await until(isBack, { ...patience, what: 'the release before to be live again' })
  assert.equal(await page('shop'), 'good')
  const { changed, release } = await info('shop')
  assert.deepEqual(
    [changed?.kind, changed?.actor, changed?.intent.previousRelease],
    ['rollback', 'rack', bad],
  )
  const [newest, ...others] = await rack.json<ReleaseInfo[]>('releases', '--app', 'shop')
  assert.deepEqual([newest?.id, newest?.live, newest?.basedOn], [release, true, good])
  assert.match(others.find(({ id }) => id === bad)?.crashed[0]?.detail ?? '', /crashed \(3\)/)
  const table = await rack.run('releases', '--app', 'shop')
  assert.match(table, new RegExp(`^${bad} .*web .*crashed \\(3\\)`, 'm'))
  assert.match(await rack.run('apps', 'info', 'shop'), /^changed .*: rollback by rack: replaced web; /m)
})

test('what goes back by itself makes way for whoever wants another release', async () => {
  await deploy('busy', serving('slow', { startsIn: 8 }))
  await deploy('busy', serving('bad', { endsIn: 6 }))
  const isGoingBack = async () => (await info('busy')).operation?.kind === 'rollback'
  await until(isGoingBack, { ...patience, what: 'it to go back' })
  const mended = await deploy('busy', serving('mended'))
  assert.equal(await page('busy'), 'mended')
  const { changed, release } = await info('busy')
  assert.deepEqual([release, changed?.kind], [mended, 'promote'])
  const rows = await rack.json<ReleaseInfo[]>('releases', '--app', 'busy')
  assert.equal(rows.find(({ live }) => live)?.id, mended)
})
