import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { EnvironmentChange, Operations } from '../../operations/operations.ts'
import { exampleApp, exampleDetails, exampleResult } from '../../../test/support/scripted-operations.ts'
import { typeCommand, type TypeOptions } from '../../../test/support/type-command.ts'
import { changesBetween } from './env.ts'

const release = {
  id: 'RBBBBBBBBBB',
  app: 'guestbook',
  build: 'BAAAAAAAAAA',
  description: 'set GREETING',
  created: '2026-11-23T05:00:00.000Z',
  basedOn: null,
  links: [],
}

interface Changing extends Omit<TypeOptions, 'rack'> {
  /** The newest release before. */
  newest?: string
}

async function change(args: string[], { newest = 'RAAAAAAAAAA', ...options }: Changing = {}) {
  const changes: EnvironmentChange[] = []
  const promoted: string[] = []
  const rack: Partial<Operations> = {
    getEnvironment: async () => ({ OLD: '1' }),
    getApp: async () => ({ ...exampleApp, ...exampleDetails }),
    listReleases: async () => [{ ...release, id: newest, live: false, crashed: [] }],
    diffEnvironment: async () => ({
      added: ['GREETING'],
      changed: [],
      removed: [],
      atBuild: ['GREETING'],
      unseen: [],
    }),
    changeEnvironment: async (_app, given) => {
      changes.push(given)
      return release
    },
    rebuildApp: async () => ({ build: 'BCCCCCCCCCC', release: 'RCCCCCCCCCC' }),
    promoteRelease: async (_app, id) => {
      promoted.push(id)
      return { ...exampleResult, release: id }
    },
  }
  return { ...(await typeCommand(['env', ...args], { ...options, rack })), changes, promoted }
}

test('words become variables; the value begins at the first equals sign', async () => {
  const { code, stdout, stderr, changes, promoted } = await change(['set', 'GREETING=a=b', 'EMPTY='])
  assert.equal(code, 0)
  assert.deepEqual(changes, [{ set: { GREETING: 'a=b', EMPTY: '' }, unset: [], replace: false }])
  assert.equal(stdout, 'RBBBBBBBBBB\n')
  assert.match(stderr, /rack releases promote RBBBBBBBBBB --app guestbook/)
  assert.match(
    stderr,
    /^GREETING is read when the app is built: rack builds rebuild, or rack deploy, to have it$/m,
  )
  assert.deepEqual(promoted, [])
})

test('with --build a new build is made of the source, and its release promoted', async () => {
  const built = await change(['set', 'GREETING=hi', '--build'])
  assert.equal(built.stdout, 'RCCCCCCCCCC\n')
  assert.doesNotMatch(built.stderr, /is read when the app is built/)
  assert.deepEqual(built.promoted, [])
  const { promoted, stdout } = await change(['set', 'GREETING=hi', '--build', '--promote', '--json'])
  assert.deepEqual(promoted, ['RCCCCCCCCCC'])
  assert.match(stdout.split('\n').at(-2) ?? '', /"type":"result".*"build":"BCCCCCCCCCC"/)
})

test('values that are there already are said to be', async () => {
  const { stdout, stderr } = await change(['set', 'OLD=1'], { newest: release.id })
  assert.equal(stdout, 'RBBBBBBBBBB\n')
  assert.match(stderr, /^nothing was changed: RBBBBBBBBBB has these values already$/m)
})

test('standard input is read as a .env, quotes and values of many lines included', async () => {
  const input = [Buffer.from('# keys\nexport KEY="a\nb"\n'), Buffer.from("PASSWORD='x$y'\n")]
  const { changes } = await change(['set'], { input })
  assert.deepEqual(changes[0]?.set, { KEY: 'a\nb', PASSWORD: 'x$y' })
})

test('a file is read, and words win over it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rack-env-'))
  try {
    await writeFile(join(folder, 'a.env'), 'A=1\nB=2\n')
    const options = { cwd: folder, env: { RACK_APP: 'guestbook' } }
    const { changes } = await change(['set', '--env-file', 'a.env', 'B=3'], options)
    assert.deepEqual(changes[0]?.set, { A: '1', B: '3' })
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('with --promote the new release is made live', async () => {
  const { promoted, stdout } = await change(['set', 'GREETING=hi', '--promote'])
  assert.deepEqual(promoted, ['RBBBBBBBBBB'])
  assert.equal(stdout, 'http://guestbook.localhost\n')
})

test('what cannot be read is refused line by line, without its text', async () => {
  const { code, stderr, changes } = await change(['set'], {
    input: [Buffer.from('A=1\nsecret text\nB="open')],
  })
  assert.equal(code, 1)
  assert.match(stderr, /line 2:.*\n.*line 3:/)
  assert.doesNotMatch(stderr, /secret/)
  assert.deepEqual(changes, [])
})

test('a word that is no variable is a mistake of usage', async () => {
  const { code, stderr } = await change(['set', 'GREETING'])
  assert.equal(code, 2)
  assert.match(stderr, /rack env set NAME=value/)
})

test('unset names what is not there', async () => {
  const { code, stderr, changes } = await change(['unset', 'OLD', 'NOPE'])
  assert.equal(code, 1)
  assert.match(stderr, /no variable NOPE/)
  assert.deepEqual(changes, [])
  assert.deepEqual((await change(['unset', 'OLD'])).changes[0], { set: {}, unset: ['OLD'], replace: false })
})

test('variables are printed so that they can be read again', async () => {
  const rack = { getEnvironment: async () => ({ A: 'plain', B: "it's\nthat $x" }) }
  const { stdout } = await typeCommand(['env'], { rack })
  assert.equal(stdout, String.raw`A=plain` + '\n' + String.raw`B="it's\nthat \$x"` + '\n')
  const { stdout: one } = await typeCommand(['env', 'get', 'B'], { rack })
  assert.equal(one, "it's\nthat $x\n")
})

test('a process shows where each variable came from', async () => {
  const rack: Partial<Operations> = {
    processEnvironment: async () => [
      { name: 'PORT', value: '3000', from: 'rack', shadows: ['image', 'compose'] },
    ],
  }
  const { stdout } = await typeCommand(['env', '--process', 'web'], { rack })
  assert.equal(stdout, 'NAME  FROM                       VALUE\nPORT  rack, over image, compose  3000\n')
})

test('the live release is compared with the newest one', async () => {
  const compared: string[][] = []
  const rack: Partial<Operations> = {
    getApp: async () => ({ ...exampleApp, ...exampleDetails }),
    listReleases: async () => [{ ...release, live: false, crashed: [] }],
    diffEnvironment: async (_app, from, to) => {
      compared.push([from, to])
      return { added: ['A'], changed: ['B'], removed: ['C'], atBuild: ['A', 'B'], unseen: [] }
    },
  }
  const { stdout, stderr } = await typeCommand(['env', 'diff'], { rack })
  assert.equal(
    stderr,
    'A, B are read when the app is built: rack builds rebuild, or rack deploy, to have them\n',
  )
  assert.equal(stdout, '+ A\n~ B\n- C\n')
  assert.deepEqual(compared, [['RAAAAAAAAAA', 'RBBBBBBBBBB']])
})

test('an edit changes what was edited and no more', () => {
  const changes = changesBetween({ A: '1', B: '2', C: '3' }, { A: '1', B: 'two', D: '4' })
  assert.deepEqual(changes, { set: { B: 'two', D: '4' }, unset: ['C'] })
})

test('an editor needs a terminal', async () => {
  const { code, stderr } = await change(['edit'])
  assert.equal(code, 2)
  assert.match(stderr, /terminal/)
})
