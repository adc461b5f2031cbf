import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtempDisposable, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { listenAsOther, needsRoot, otherUser } from '../../test/support/other-user.ts'
import { createClient } from './client.ts'

const token = 'rack_secret'

/** A directory for a socket, in one that everybody may pass. */
async function makeFolder(mode = 0o700) {
  const home = await mkdtempDisposable(join(tmpdir(), 'socket-'))
  await chmod(home.path, 0o755)
  const folder = join(home.path, 'rack')
  await mkdir(folder)
  await chmod(folder, mode)
  return Object.assign(home, { folder, socket: join(folder, 'api.sock') })
}

/** A rack of this user's own, on a socket of a mode; it notes what it was asked. */
async function serve(path: string, mode = 0o600) {
  const asked: string[] = []
  const server = createServer(({ headers, url }, response) => {
    asked.push(`${url} ${headers.authorization}`)
    response.setHeader('content-type', 'application/json').end('[]')
  })
  server.listen(path)
  await once(server, 'listening')
  await chmod(path, mode)
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { asked, [Symbol.asyncDispose]: close }
}

const client = (path: string) => createClient({ url: `unix:${path}`, token })
const terminal = { tty: false, rows: 1, columns: 1, input: null, output: async () => {}, onResize: () => {} }
const exec = { params: { app: 'shop', process: 'P' }, query: { command: ['true'] } }

/** Both ways in which a client dials. */
async function assertRefused(path: string, why: RegExp): Promise<void> {
  const expected = { code: 'untrusted', message: why, hint: /ls -ld/ }
  await assert.rejects(client(path).listApps(), expected)
  await assert.rejects(client(path).execProcess(exec, terminal), expected)
}

test('a socket of our own in a directory of our own is used, with the token', async () => {
  await using made = await makeFolder()
  await using rack = await serve(made.socket)
  assert.deepEqual(await client(made.socket).listApps(), [])
  assert.deepEqual(rack.asked, [`/v1/apps Bearer ${token}`])
})

test('a group may use it; nobody else may, and nobody else may change its directory', async () => {
  await using made = await makeFolder(0o710)
  await using rack = await serve(made.socket, 0o660)
  assert.deepEqual(await client(made.socket).listApps(), [])
  for (const mode of [0o662, 0o666, 0o606, 0o602, 0o777]) {
    await chmod(made.socket, mode)
    await assertRefused(made.socket, /open to every user/)
  }
  await chmod(made.socket, 0o755)
  assert.deepEqual(await client(made.socket).listApps(), [], 'who may only read it cannot connect')
  for (const mode of [0o770, 0o777, 0o1777, 0o720, 0o702]) {
    await chmod(made.folder, mode)
    await assertRefused(made.socket, /can be changed by other users/)
  }
  assert.equal(rack.asked.length, 2, 'nothing was sent since')
})

test('what is no socket, or leads elsewhere, is refused', async () => {
  await using made = await makeFolder()
  await using elsewhere = await makeFolder()
  await using rack = await serve(elsewhere.socket)
  await symlink(elsewhere.socket, made.socket)
  await assertRefused(made.socket, /is no socket/)
  await writeFile(join(made.folder, 'file'), '')
  await assertRefused(join(made.folder, 'file'), /is no socket/)
  await assertRefused(join(made.folder, 'file/api.sock'), /is no directory/)
  assert.deepEqual(rack.asked, [])
})

test('a directory may be a link of our own; then what it leads to counts', async () => {
  await using made = await makeFolder()
  await using rack = await serve(made.socket)
  const link = join(made.path, 'link')
  await symlink(made.folder, link)
  assert.deepEqual(await client(join(link, 'api.sock')).listApps(), [])
  await chmod(made.folder, 0o777)
  await assertRefused(join(link, 'api.sock'), /can be changed by other users/)
  assert.equal(rack.asked.length, 1)
})

test('a socket that is not there is a rack that does not run', async () => {
  await using made = await makeFolder()
  for (const path of [made.socket, join(made.folder, 'none/api.sock')]) {
    await assert.rejects(client(path).listApps(), {
      code: 'unreachable',
      message: `the rack at ${path} does not answer: its socket is not there`,
      hint: 'rack start',
    })
  }
})

test("another user's socket in our directory is sent nothing", { skip: needsRoot }, async () => {
  await using made = await makeFolder(0o777)
  await using other = await listenAsOther({ path: made.socket })
  await chmod(made.folder, 0o755)
  await chmod(made.socket, 0o600)
  await assertRefused(made.socket, /api\.sock belongs to user 54321, who is neither you nor root/)
  assert.equal(other.heard(), '')
})

test("a socket in another user's directory is sent nothing", { skip: needsRoot }, async () => {
  await using made = await makeFolder(0o700)
  await chown(made.folder, otherUser.uid, otherUser.gid)
  await using other = await listenAsOther({ path: made.socket })
  await assertRefused(made.socket, /rack belongs to user 54321/)
  assert.equal(other.heard(), '')
})
