import assert from 'node:assert/strict'
import { mkdir, mkdtempDisposable, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { changeRacks, readRacks, withoutRack, withRack } from './racks-file.ts'
import { selectRack, selectRackName } from './select-rack.ts'

const directory = '/var/lib/rack/demo'
const demo = { name: 'demo', url: `unix:${directory}/api.sock`, token: 'secret', directory }
const far = { name: 'far', url: 'https://rack.example.com', token: 'other' }

async function makeHome() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'racks-'))
  const env = { XDG_CONFIG_HOME: folder.path } as Record<string, string | undefined>
  return Object.assign(folder, { env, file: join(folder.path, 'rack/racks.json') })
}

test('a rack is kept, replaced by its name, and only its owner can read the file', async () => {
  await using home = await makeHome()
  assert.deepEqual(readRacks(home.env), { racks: [], current: null })
  await changeRacks(home.env, (known) => withRack(known, far))
  await changeRacks(home.env, (known) => withRack(known, { ...demo, token: 'old' }))
  await changeRacks(home.env, (known) => withRack(known, demo))
  assert.deepEqual(readRacks(home.env), { racks: [demo, far], current: 'demo' })
  assert.equal((await stat(home.file)).mode & 0o777, 0o600)
  assert.equal((await stat(join(home.path, 'rack'))).mode & 0o777, 0o700)
})

test('a rack whose directory is known is reached by its socket, also when a port is noted', async () => {
  await using home = await makeHome()
  const noted = { ...demo, url: 'http://127.0.0.1:5480' }
  await mkdir(join(home.path, 'rack'))
  await writeFile(home.file, JSON.stringify({ racks: [noted, far], current: 'demo' }))
  assert.deepEqual(readRacks(home.env).racks, [demo, far])
})

test('when the current rack goes, the only other one takes its place', () => {
  const both = { racks: [demo, far], current: 'demo' }
  assert.deepEqual(withoutRack(both, 'demo'), { racks: [far], current: 'far' })
  assert.deepEqual(withoutRack(both, 'far'), { racks: [demo], current: 'demo' })
  const three = { racks: [demo, far, { ...far, name: 'third' }], current: 'demo' }
  assert.equal(withoutRack(three, 'demo').current, null)
})

test('a damaged file is named, and left as it is', async () => {
  await using home = await makeHome()
  await mkdir(join(home.path, 'rack'))
  await writeFile(home.file, '{"racks":')
  assert.throws(() => readRacks(home.env), { code: 'invalid', message: new RegExp(RegExp.escape(home.file)) })
  await assert.rejects(
    changeRacks(home.env, (known) => withRack(known, far)),
    { code: 'invalid' },
  )
  assert.equal(await readFile(home.file, 'utf8'), '{"racks":')
  await writeFile(home.file, '[]')
  assert.throws(() => readRacks(home.env), { code: 'invalid' })
})

test('the rack of a command: --rack, RACK_URL, RACK_NAME, the current one', async () => {
  await using home = await makeHome()
  await changeRacks(home.env, (known) => withRack(withRack(known, far), demo))
  const url = { RACK_URL: 'http://10.0.0.1:5480', RACK_TOKEN: 'given' }
  assert.equal(selectRack(undefined, home.env).name, 'demo')
  assert.equal(selectRack(undefined, { ...home.env, RACK_NAME: 'far' }).name, 'far')
  assert.deepEqual(selectRack(undefined, { ...home.env, RACK_NAME: 'far', ...url }), {
    name: 'http://10.0.0.1:5480',
    url: 'http://10.0.0.1:5480',
    token: 'given',
  })
  assert.equal(selectRack('far', { ...home.env, ...url }).name, 'far')
  assert.throws(() => selectRack('nope', home.env), { code: 'not-found', hint: /demo, far/ })
  assert.equal(selectRackName('nope', home.env), 'nope')
})

test('without a current rack: none says how to get one, the only one is taken, of several one must be chosen', async () => {
  await using home = await makeHome()
  assert.throws(() => selectRack(undefined, home.env), { code: 'not-found', hint: /rack install/ })
  await changeRacks(home.env, () => ({ racks: [far], current: null }))
  assert.equal(selectRack(undefined, home.env).name, 'far')
  await changeRacks(home.env, () => ({ racks: [demo, far], current: null }))
  assert.throws(() => selectRack(undefined, home.env), {
    code: 'not-found',
    hint: /rack switch NAME, of: demo, far/,
  })
})
