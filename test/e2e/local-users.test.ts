import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, chmod, readdir, readFile, rename, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from '../../src/lib/poll.ts'
import { rack as runRack } from '../support/command-line.ts'
import { freePort, installRack, type InstalledRack } from '../support/installed-rack.ts'
import { asOther, listenAsOther, needsRoot, otherUser } from '../support/other-user.ts'

interface Status {
  status: string
  daemon: { pid: number }
  router: { pid: number | null }
  socket: string
  api?: string
}

const program = fileURLToPath(new URL('../../bin/rack', import.meta.url))
/** One that every machine has and that nobody is in. */
const group = 'nogroup'
const room = ['--cpu', '1024', '--memory', '1024M']

let rack: InstalledRack
let apiPort = 0
before(async () => {
  apiPort = await freePort()
  rack = await installRack(['--api-port', String(apiPort), '--api-group', group, ...room])
  // Others must get as far as the rack's own directory.
  await chmod(dirname(rack.directory), 0o711)
})
after(() => rack[Symbol.asyncDispose]())

const status = () => rack.json<Status>('status')
const tokenOf = async () => {
  const file = await readFile(join(rack.env['XDG_CONFIG_HOME']!, 'rack/racks.json'), 'utf8')
  return (JSON.parse(file) as { racks: { token: string }[] }).racks[0]!.token
}

test(
  'while the daemon is down, nobody who takes its port or its socket is sent the token',
  { skip: needsRoot },
  async () => {
    await rack.run('stop', '--keep-router')
    {
      await using byTcp = await listenAsOther({ host: '127.0.0.1', port: apiPort })
      const said = await rack.attempt(['apps'])
      assert.equal(said.code, 1)
      assert.match(
        said.stderr,
        /^error: the rack at .*api\.sock does not answer: its socket is not there\n→ rack start/,
      )
      assert.equal(byTcp.heard(), '')
    }
    // As if the directory had been open to others for a while.
    await chmod(rack.directory, 0o777)
    {
      await using bySocket = await listenAsOther({ path: join(rack.directory, 'api.sock') })
      for (const mode of [0o777, 0o710]) {
        await chmod(rack.directory, mode)
        const said = await rack.attempt(['apps'])
        assert.equal(said.code, 1)
        assert.match(
          said.stderr,
          /^error: .* (can be changed by other users|belongs to user 54321.*): nothing was sent to it\n→ /,
        )
      }
      assert.equal(bySocket.heard(), '')
    }
    await rack.run('start')
    assert.deepEqual(await rack.json('apps'), [])
  },
)

test('a daemon does not open its socket where others could exchange it', async () => {
  await rack.run('stop', '--keep-router')
  await chmod(rack.directory, 0o777)
  const said = await rack.attempt(['start'])
  await chmod(rack.directory, 0o710)
  assert.equal(said.code, 1)
  assert.match(said.stderr, /is not this user's alone/)
  await rack.run('start')
})

test(
  'the socket is for its owner and the group; a member needs a token all the same',
  { skip: needsRoot },
  async () => {
    const { socket } = await status()
    const [file, folder] = [await stat(socket), await stat(dirname(socket))]
    assert.deepEqual([file.mode & 0o777, folder.mode & 0o777, file.uid], [0o660, 0o710, process.getuid?.()])
    const token = await tokenOf()
    const as = (groupOf: string | number, env: NodeJS.ProcessEnv) => {
      const script = `${asOther(groupOf)}
      const asked = require('node:http').request({
        socketPath: process.argv[1], path: '/v1/apps', headers: { host: 'localhost', authorization: 'Bearer ' + process.env.TOKEN },
      }, (response) => { console.log(response.statusCode); process.exit() })
      asked.on('error', ({ code }) => console.log(code)).end()`
      return said(process.execPath, ['--eval', script, socket], env)
    }
    assert.equal(await as(group, { TOKEN: token }), '200')
    assert.equal(await as(group, { TOKEN: 'guessed' }), '401')
    assert.equal(await as(otherUser.gid, { TOKEN: token }), 'EACCES')
  },
)

async function said(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await once(child, 'close')
  return text.trim()
}

test('nothing of a rack can be read or used by another user', { skip: needsRoot }, async () => {
  const home = dirname(rack.directory)
  const inside = await readdir(home, { recursive: true, withFileTypes: true })
  const places = inside.map((entry) => ({
    path: join(entry.parentPath, entry.name),
    isSocket: entry.isSocket(),
  }))
  for (const name of [
    'racks.json',
    'rack.key',
    'audit.key',
    'audit.head',
    'store.sqlite',
    'api.sock',
    'haproxy.cfg',
  ])
    assert.ok(
      places.some(({ path }) => basename(path) === name),
      name,
    )
  assert.ok(places.filter(({ isSocket }) => isSocket).length > 1, 'the sockets of the API and of the router')
  const script = `${asOther()}
    const { connect } = require('node:net'), fs = require('node:fs')
    const opens = ({ path }) => new Promise((resolve) => {
      const socket = connect(path, () => resolve(true)).on('error', () => resolve(false))
    })
    const reads = ({ path }) => {
      for (const read of [fs.readFileSync, fs.readdirSync, (path) => fs.appendFileSync(path, '')])
        try { read(path); return true } catch {}
      return false
    }
    const got = JSON.parse(fs.readFileSync(0, 'utf8')).map(async (place) =>
      (await (place.isSocket ? opens(place) : reads(place))) ? [place.path] : [])
    Promise.all(got).then((all) => { console.log(JSON.stringify(all.flat())); process.exit() })`
  const child = spawn(process.execPath, ['--eval', script], { cwd: '/', stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify(places))
  assert.deepEqual(JSON.parse(await text(child.stdout)), [])
})

test('a login by TCP says what it risks; one by the socket does not', async () => {
  const { api, socket } = await status()
  const env = { ...rack.env, XDG_CONFIG_HOME: join(rack.directory, '../other'), RACK_NAME: '' }
  const input = await tokenOf()
  const byTcp = await runRack(['login', api!, '--token-stdin'], { env, input })
  assert.match(byTcp.stderr, /^warning: while the rack is down, any user of this machine can take its port/)
  const bySocket = await runRack(['login', `unix:${socket}`, '--token-stdin'], { env, input })
  assert.deepEqual([bySocket.code, /warning/.test(bySocket.stderr)], [0, false])
  const found = await runRack(['status', '--json'], { env })
  assert.equal((JSON.parse(found.stdout) as Status).socket, socket)
})

test('strangers without a token cannot fill the log', async () => {
  const log = join(rack.directory, 'daemon.log')
  const linesOf = async () =>
    (await readFile(log, 'utf8')).split('\n').filter((line) => line.includes('"request"')).length
  const before = await linesOf()
  for (let at = 0; at < 500; at++) assert.equal(await askByTcp('/v1/apps'), 401)
  assert.ok((await linesOf()) - before <= 60, `${(await linesOf()) - before} lines`)
})

async function askByTcp(path: string): Promise<number | undefined> {
  const asked = request({ host: '127.0.0.1', port: apiPort, path, agent: false }).end()
  const [response] = (await once(asked, 'response')) as [{ statusCode?: number; resume(): void }]
  response.resume()
  return response.statusCode
}

test("the daemon's log moves away when it is long, and one more is kept", async () => {
  const log = join(rack.directory, 'daemon.log')
  const size = async (path: string) => (await stat(path).catch(() => null))?.size ?? 0
  for (const text of ['first', 'second']) {
    await appendFile(log, `${text}\n`.repeat(2 ** 20 * 1.5))
    const isMoved = async () => (await size(log)) < 2 ** 20
    await until(isMoved, { deadlineMs: 20_000, what: 'the log to move' })
    assert.match(await readFile(`${log}.1`, 'utf8'), new RegExp(`${text}\n$`))
  }
  await rename(`${log}.1`, `${log}.seen`)
})

test('half-open connections take neither the API from its owner nor the router from the rack', async () => {
  await rack.run('stop', '--keep-router')
  const starting = spawn('prlimit', ['--nofile=400:400', program, 'start'], {
    env: rack.env,
    stdio: 'ignore',
  })
  assert.deepEqual(await once(starting, 'close'), [0, null])
  const sockets = Array.from({ length: 1200 }, () =>
    connect({ host: '127.0.0.1', port: apiPort }).on('error', () => undefined),
  )
  try {
    for (const socket of sockets) socket.write('GET /v1/health HTTP/1.1\r\n')
    const { router } = await status()
    process.kill(router.pid!, 'SIGKILL')
    const isRevived = async () => {
      const { router: now } = await status()
      return now.pid !== null && now.pid !== router.pid
    }
    await until(isRevived, { deadlineMs: 20_000, what: 'the router to be revived' })
    assert.deepEqual(await rack.json('apps'), [])
  } finally {
    for (const socket of sockets) socket.destroy()
  }
})
