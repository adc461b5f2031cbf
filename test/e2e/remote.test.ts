import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import type { AuditEntry } from '../../src/domain/audit.ts'
import type { KnownRacks } from '../../src/cli/racks-file.ts'
import type { MadeToken } from '../../src/domain/token.ts'
import { until } from '../../src/lib/poll.ts'
import { identifyProcess } from '../../src/lib/process-identity.ts'
import { processTree } from '../../src/lib/process-tree.ts'
import { freePort, installRack, type InstalledRack } from '../support/installed-rack.ts'
import { needsRoot } from '../support/other-user.ts'
import { whenSays } from '../support/saying.ts'
import { passed, startSshServer, type SshServer } from '../support/ssh-server.ts'

const run = promisify(execFile)

const compose = `services:
  web:
    image: busybox:1
    command: sh -c "httpd -p 8000 -h /large; n=0; while true; do n=$$((n+1)); echo line $$n; sleep 0.3; done"
    stop_grace_period: 1s
    ports: ["8000"]
    volumes: ["./large:/large:ro"]
`

/** A laptop: another user of this machine with a configuration of their own, whom sshd lets in. */
let laptop: SshServer
let rack: InstalledRack
let url: string
let httpsUrl: string

before(async () => {
  if (needsRoot !== false) return
  laptop = await startSshServer()
  const httpsPort = await freePort()
  httpsUrl = `https://localhost:${httpsPort}`
  const ways = ['--api-group', laptop.user, '--https-port', String(httpsPort)]
  rack = await installRack([...ways, '--cpu', '1024', '--memory', '1024M'])
  // Others must get as far as the rack's own directory.
  await chmod(dirname(rack.directory), 0o711)
  const { socket } = await rack.json<{ socket: string }>('status')
  url = `ssh://rackhost${socket}`
  await mkdir(join(laptop.home, 'shop/large'), { recursive: true })
  await writeFile(join(laptop.home, 'shop/docker-compose.yml'), compose)
  await writeFile(join(laptop.home, 'shop/large/file'), Buffer.alloc(20_000_000, 'x'))
})
after(async () => {
  await laptop?.[Symbol.asyncDispose]()
  await rack?.[Symbol.asyncDispose]()
})

async function newToken(name: string, role: string, ...more: string[]): Promise<string> {
  return (await rack.json<MadeToken>('tokens', 'create', name, '--role', role, ...more)).token
}
const options = { skip: needsRoot, timeout: 180_000 }

test(
  'a login by ssh: the host key is looked at, then the token is taken, and an app is deployed from there',
  options,
  async () => {
    const token = await newToken('laptop', 'deploy', '--app', 'shop')
    const login = ['login', url, '--name', 'far', '--token-stdin']
    const unknown = await laptop.rack(login, { input: token })
    assert.equal(unknown.code, 1)
    assert.match(
      unknown.stderr,
      /^error: the host key of rackhost is not known here: nothing was sent to it\n→ .*ssh rackhost true/,
    )
    await writeFile(
      join(laptop.home, '.ssh/known_hosts'),
      `[127.0.0.1]:${laptop.port} ${await readFile(join(laptop.home, 'server/key.pub'), 'utf8')}`,
    )
    assert.equal((await laptop.rack(login, { input: 'guessed' })).code, 1)
    assert.match(
      await passed(laptop.rack([...login, '--json'], { input: token })),
      /"url": *"ssh:\/\/rackhost/,
    )
    await passed(laptop.rack(['deploy', '--app', 'shop', 'shop']))
    assert.match(
      await passed(laptop.rack(['exec', 'web', '--app', 'shop', '--', 'wc', '-c', '/large/file'])),
      /^20000000 /,
    )
    const entries = await rack.json<AuditEntry[]>('audit', '--actor', 'laptop')
    assert.deepEqual(
      [...new Set(entries.map(({ source }) => source))],
      [`ssh ${laptop.user}@127.0.0.1 (as claimed)`],
    )
  },
)

test(
  'a login by https: who vouches for the rack is known by its fingerprint, then the token is taken',
  options,
  async () => {
    const token = await newToken('byhttps', 'deploy', '--app', 'shop')
    const { fingerprint } = await rack.json<{ fingerprint: string }>('certs', 'ca')
    const login = ['login', httpsUrl, '--name', 'tls', '--token-stdin']
    const [unasked, wrong] = await Promise.all([
      laptop.rack(login, { input: token }),
      laptop.rack([...login, '--fingerprint', fingerprint.replaceAll(/[0-9]/g, 'A')], { input: token }),
    ])
    for (const { code, stderr } of [unasked, wrong]) {
      assert.equal(code, 1)
      assert.ok(stderr.includes(fingerprint), stderr)
    }
    await writeFile(join(laptop.home, 'token'), token)
    const words = `${httpsUrl} --name typed --token-file ${laptop.home}/token`
    const no = await loginOnTerminal(words, { fingerprint, answer: 'y' })
    const yes = await loginOnTerminal(words, { fingerprint, answer: 'yes' })
    assert.equal(no.code, 130)
    assert.match(no.rest, /error: nothing was sent to it/)
    assert.equal(yes.code, 0)
    assert.match(yes.rest, /typed \(Rack .*\) is the current rack/)
    const byHttps = await laptop.rack([...login, '--fingerprint', fingerprint], { input: token })
    assert.equal(byHttps.code, 0, byHttps.stderr)
    assert.doesNotMatch(byHttps.stderr, /warning/)
    await passed(laptop.rack(['deploy', '--app', 'shop', 'shop', '--rack', 'tls']))
    const counted = laptop.rack([
      'exec',
      'web',
      '--app',
      'shop',
      '--rack',
      'tls',
      '--',
      'wc',
      '-c',
      '/large/file',
    ])
    assert.match(await passed(counted), /^20000000 /)
    const entries = await rack.json<AuditEntry[]>('audit', '--actor', 'byhttps')
    assert.deepEqual([...new Set(entries.map(({ source }) => source))], ['127.0.0.1'])
  },
)

test(
  'a token may from elsewhere what it may: reading, its app, and until it is revoked',
  options,
  async () => {
    await rack.run('apps', 'create', 'blog')
    const pinned = JSON.parse(
      await readFile(join(laptop.home, '.config/rack/racks.json'), 'utf8'),
    ) as KnownRacks
    for (const way of ['far', 'tls']) {
      const name = `reader-${way}`
      const token = await newToken(name, 'read')
      const known = pinned.racks.map((one) => (one.name === way ? { ...one, name, token } : one))
      const folder = join(laptop.home, name)
      await mkdir(join(folder, 'rack'), { recursive: true })
      await writeFile(join(folder, 'rack/racks.json'), JSON.stringify({ racks: known, current: name }))
      const reader = { env: { XDG_CONFIG_HOME: folder } }
      const [exec, other] = await Promise.all([
        laptop.rack(['exec', 'web', '--app', 'shop', '--', 'true'], reader),
        laptop.rack(['env', 'set', 'A=1', '--app', 'blog', '--rack', way]),
      ])
      assert.match(exec.stderr, /the token "reader-\w+" has the role read, and this wants deploy/)
      assert.match(other.stderr, /"blog" is not one of its apps/)
      const following = laptop.start(['logs', '-f', '--app', 'shop'], reader)
      await whenSays(following.child, /line \d/)
      await rack.run('tokens', 'revoke', name, '--yes')
      const { code, stderr } = await following.said
      assert.equal(code, 1)
      assert.match(stderr, /the token "reader-\w+" was revoked/)
    }
  },
)

test(
  'the router serves the API by TLS and its own name alone, and says so while the daemon is down',
  options,
  async () => {
    const { port } = new URL(httpsUrl)
    const curl = async (address: string, ...more: string[]) =>
      (await run('curl', ['-sk', '-o', '/dev/null', '-w', '%{http_code}', address, ...more])).stdout
    assert.equal(await curl(`${httpsUrl}/v1/health`), '200')
    assert.equal(await curl(`http://localhost:${rack.httpPort}/v1/health`), '404')
    assert.equal(await curl(`https://127.0.0.1:${port}/v1/health`), '404')
    assert.equal(await curl(`${httpsUrl}/v1/health`, '-H', `Host: 127.0.0.1:${port}`), '404')
    assert.equal(await curl(`${httpsUrl}/v1/health`, '-H', 'Origin: https://evil.example'), '403')
    assert.equal(await curl(`${httpsUrl}/v1/apps`, '-H', 'X-Rack-Client: 192.0.2.1'), '401')
    await rack.run('stop', '--keep-router')
    const { code, stderr } = await laptop.rack(['ps', '--app', 'shop', '--rack', 'tls'])
    assert.equal(code, 1)
    assert.match(stderr, /^error: the daemon of this rack does not run.*\n→ On its machine: rack start/)
    await rack.run('start', '--api-by-https', 'no')
    const told = async () => (await rack.json<{ apiByHttps: string | null }>('status')).apiByHttps
    assert.deepEqual([await told(), await curl(`${httpsUrl}/v1/health`)], [null, '404'])
    await rack.run('stop', '--keep-router')
    await rack.run('start', '--api-by-https', 'yes')
    assert.equal(await told(), httpsUrl)
    await passed(laptop.rack(['ps', '--app', 'shop', '--rack', 'tls']))
  },
)

test('fifty streams at once are one session of ssh; a terminal is a terminal', options, async () => {
  const port = await freePort()
  const before = await laptop.sessions()
  const proxy = laptop.start(['proxy', `${port}:web:8000`, '--app', 'shop', '--rack', 'far'])
  await whenSays(proxy.child, new RegExp(String(port)))
  const sockets = Array.from({ length: 50 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
  const answers = sockets.map(async (socket) => String((await once(socket, 'data'))[0]))
  for (const socket of sockets) socket.write('GET /none HTTP/1.0\r\n\r\n')
  for (const answer of await Promise.all(answers)) assert.match(answer, /^HTTP\/1.1 404/)
  for (const socket of sockets) socket.destroy()
  proxy.child.kill('SIGINT')
  await proxy.said
  assert.equal(await laptop.sessions(), before + 1)
  for (const way of ['far', 'tls']) await terminalBy(way)
})

/** `rack exec` on a terminal, which is one inside too, of the same size. */
async function terminalBy(way: string): Promise<void> {
  const inside = 'tty; until [ "$(stty size 2>&1)" = "33 101" ]; do sleep 0.1; done; echo sized; exit 5'
  const command = `stty rows 33 cols 101; ${laptop.home}/program/bin/rack exec web --app shop --rack ${way} -- sh -c '${inside}'`
  const terminal = onTerminal(command)
  const [shown, [code]] = await Promise.all([text(terminal.stdout), once(terminal, 'close')])
  assert.match(shown, /\/dev\/pts\/\d+\r+\nsized/)
  assert.equal(code, 5)
}

/** A command of the laptop's on a terminal of its own. */
function onTerminal(command: string) {
  return spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    ...laptop.account,
    env: { ...laptop.env, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

/** `rack login` by a person who looks at the fingerprint, and says so. */
async function loginOnTerminal(
  words: string,
  { fingerprint, answer }: { fingerprint: string; answer: string },
) {
  const terminal = onTerminal(`${laptop.home}/program/bin/rack login ${words}`)
  await whenSays(terminal, new RegExp(`${fingerprint}[^]*Type yes to believe it: `))
  const shown = text(terminal.stdout)
  terminal.stdin.write(`${answer}\r`)
  const [[code], rest] = await Promise.all([once(terminal, 'close'), shown])
  return { code: code as number | null, rest }
}

test('Ctrl-C leaves no ssh behind: while logs are followed, and before ssh is through', options, async () => {
  await using silent = await listenSilently()
  const following = laptop.start(['logs', '-f', '--app', 'shop', '--rack', 'far'])
  const waiting = laptop.start(['apps'], {
    env: { RACK_URL: `ssh://127.0.0.1:${silent.port}`, RACK_TOKEN: 'x' },
  })
  await whenSays(following.child, /line \d/)
  await silent.asked
  for (const { child, said } of [following, waiting]) {
    const started = await processTree(child.pid!)
    assert.ok(started.length > 1, 'ssh runs')
    child.kill('SIGINT')
    await said
    const areGone = async () =>
      (await Promise.all(started.map(identifyProcess))).every((found) => found === null)
    await until(areGone, { deadlineMs: 5000, what: 'the end of ssh' })
  }
})

test('what is in the way is said, with what to type', options, async () => {
  const ask = async (far: string | null, env: Record<string, string> = {}) => {
    await laptop.setFarRack(far)
    const { code, stderr } = await laptop.rack(env['RACK_URL'] ? ['apps'] : ['apps', '--rack', 'far'], {
      env,
    })
    assert.equal(code, 1, stderr)
    return stderr
  }
  assert.match(
    await ask('exit 127'),
    /^error: rackhost lets you in, and has no rack on the PATH of its ssh\n→ ssh rackhost/,
  )
  const older = 'echo \'error: there is no command "rack dial-stdio"\' >&2; exit 2'
  assert.match(await ask(older), /^error: the rack program of rackhost is too old .*\n→ .*Update it there/)
  const newer = `echo Welcome; echo 'rack-dial-stdio {"protocol":2,"version":"9.0.0"}'; cat`
  assert.match(
    await ask(newer),
    /^error: .* is newer \(9\.0\.0\) than this one .*\n→ Update this command line/,
  )
  const lost = `${laptop.home}/program/bin/rack dial-stdio --socket /nowhere/api.sock`
  assert.match(
    await ask(lost),
    /^error: the rack at rackhost does not answer: its socket is not there\n→ On rackhost: rack status/,
  )
  const bare = { PATH: join(laptop.home, 'server') }
  assert.match(await ask(null, bare), /^error: ssh is not installed here\n→ Install OpenSSH/)
  const wrongUser = { RACK_URL: 'ssh://nobody@rackhost', RACK_TOKEN: 'x' }
  assert.match(
    await ask(null, wrongUser),
    /^error: rackhost does not let you in: .*Permission denied.*\n→ .*ssh nobody@rackhost true/,
  )
  await laptop.makeHostKey()
  const changed = await ask(null)
  assert.match(
    changed,
    /^error: the host key of rackhost is another one than before: nothing was sent to it\n→ .*ssh-keygen -R/,
  )
})

/** A server that never says a word. */
async function listenSilently() {
  const asked = Promise.withResolvers<void>()
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket.on('error', () => undefined))
    asked.resolve()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    asked: asked.promise,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      await promisify(server.close.bind(server))()
    },
  }
}
