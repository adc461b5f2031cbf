import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  chmod,
  chown,
  lchown,
  mkdir,
  mkdtempDisposable,
  readFile,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { needsRoot, otherUser } from '../../test/support/other-user.ts'
import { openSocket } from './open-socket.ts'

async function makePlace() {
  const home = await mkdtempDisposable(join(tmpdir(), 'open-'))
  const path = join(home.path, 'rack/api.sock')
  const server = createServer()
  const listen = async () => {
    server.listen(path)
    await once(server, 'listening')
  }
  const modes = async () =>
    await Promise.all([dirname(path), path].map(async (each) => (await stat(each)).mode & 0o777))
  return {
    home: home.path,
    path,
    folder: dirname(path),
    open: (group: { name: string; id: number } | null = null) => openSocket({ path, group }, listen),
    modes,
    async [Symbol.asyncDispose]() {
      server.close()
      await home[Symbol.asyncDispose]()
    },
  }
}

test('a directory that is not there is made for its owner alone, and so is the socket', async () => {
  await using place = await makePlace()
  await place.open()
  assert.deepEqual(await place.modes(), [0o700, 0o600])
})

test('what a dead daemon left in its place goes; what a link leads to stays', async () => {
  await using place = await makePlace()
  await mkdir(place.folder, { mode: 0o700 })
  await writeFile(join(place.home, 'letter'), 'mine')
  await symlink(join(place.home, 'letter'), place.path)
  await place.open()
  assert.ok((await stat(place.path)).isSocket())
  assert.equal(await readFile(join(place.home, 'letter'), 'utf8'), 'mine')
})

test('a group may pass and use it', async () => {
  await using place = await makePlace()
  await place.open({ name: 'own', id: process.getgid?.() ?? 0 })
  assert.deepEqual(await place.modes(), [0o710, 0o660])
})

test('a directory that others may change is refused, and left as it is', async () => {
  for (const mode of [0o777, 0o1777, 0o770, 0o720, 0o702]) {
    await using place = await makePlace()
    await mkdir(place.folder)
    await chmod(place.folder, mode)
    await assert.rejects(place.open(), {
      code: 'host-failed',
      message: /could be exchanged/,
      hint: /chmod 700/,
    })
    assert.equal((await stat(place.folder)).mode & 0o7777, mode)
  }
})

test("another user's directory is refused", { skip: needsRoot }, async () => {
  await using place = await makePlace()
  await mkdir(place.folder, { mode: 0o700 })
  await chown(place.folder, otherUser.uid, otherUser.gid)
  await assert.rejects(place.open(), { code: 'host-failed' })
})

test(
  "another user's link to a directory of ours is refused, and one of our own is not",
  { skip: needsRoot },
  async () => {
    await using place = await makePlace()
    await mkdir(join(place.home, 'own'), { mode: 0o700 })
    await symlink(join(place.home, 'own'), place.folder)
    await place.open()
    await lchown(place.folder, otherUser.uid, otherUser.gid)
    await assert.rejects(place.open({ name: 'own', id: 0 }), { code: 'host-failed' })
    assert.equal((await stat(join(place.home, 'own'))).mode & 0o777, 0o700)
  },
)
