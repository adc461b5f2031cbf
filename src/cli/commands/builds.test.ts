import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Build } from '../../domain/build.ts'
import type { Operations } from '../../operations/operations.ts'
import { exampleApp, exampleDetails } from '../../../test/support/scripted-operations.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

const failed: Build = {
  id: 'BBBBBBBBBBB',
  app: 'guestbook',
  status: 'failed',
  description: 'new greeting',
  release: null,
  reason: 'web: step 3 of 4 ended with 1',
  created: '2020-11-23T05:00:00.000Z',
  started: '2020-11-23T05:00:01.000Z',
  ended: '2020-11-23T05:00:03.500Z',
}
const complete: Build = {
  ...failed,
  id: 'BAAAAAAAAAA',
  status: 'complete',
  release: 'RAAAAAAAAAA',
  reason: null,
}
const exampleRelease = {
  app: 'guestbook',
  description: 'new greeting',
  created: '2020-11-23T05:00:00.000Z',
  basedOn: null,
  links: [],
  live: true,
  crashed: [],
  receipt: null,
}
const time = '2020-11-23T05:00:02.000Z'

async function type(...args: string[]) {
  const deleted: string[] = []
  const followed: boolean[] = []
  const rack: Partial<Operations> = {
    listBuilds: async (_app, limit) => [failed, complete].slice(0, limit),
    getBuild: async () => failed,
    async *buildLog(_app, _build, { follow }) {
      followed.push(follow)
      yield { type: 'phase', phase: 'build', state: 'started', time }
      yield { type: 'log', text: 'RUN make', process: 'web', time }
      yield { type: 'phase', phase: 'build', state: 'ended', ms: 2500, time }
    },
    getApp: async () => ({ ...exampleApp, ...exampleDetails }),
    getRelease: async (_app, id) => ({ ...exampleRelease, id, build: 'BAAAAAAAAAA' }),
    rebuildApp: async (_app, build) => ({ build: `again of ${build}`, release: 'RCCCCCCCCCC' }),
    deleteBuild: async (_app, build) => void deleted.push(build),
  }
  return { ...(await typeCommand(['builds', ...args], { rack })), deleted, followed }
}

test('a list shows why a build failed', async () => {
  const { stdout } = await type()
  const [head, first, second] = stdout.split('\n').map((line) => line.split(/ {2,}/))
  assert.deepEqual(head, ['BUILD', 'STATUS', 'RELEASE', 'CREATED', 'TOOK', 'DESCRIPTION'])
  assert.deepEqual(
    first?.filter((_, at) => at !== 3),
    ['BBBBBBBBBBB', 'failed', '–', '2.5 s', failed.reason],
  )
  assert.deepEqual(
    second?.filter((_, at) => at !== 3),
    ['BAAAAAAAAAA', 'complete', 'RAAAAAAAAAA', '2.5 s', 'new greeting'],
  )
})

test('the newest build is meant when none is named', async () => {
  assert.match((await type('info')).stdout, /^build +BBBBBBBBBBB\n/)
})

test('a log shows lines and what each phase took', async () => {
  const { stdout, followed } = await type('logs', '--follow')
  assert.equal(stdout, 'web | RUN make\nbuild  2.5 s\n')
  assert.deepEqual(followed, [true])
  const records = (await type('logs', '--json')).stdout.trimEnd().split('\n')
  assert.equal(records.length, 3)
})

test('a build is deleted only when that is confirmed', async () => {
  const unsure = await type('delete', 'BBBBBBBBBBB')
  assert.equal(unsure.code, 2)
  assert.match(unsure.stderr, /--yes/)
  assert.deepEqual(unsure.deleted, [])
  assert.deepEqual((await type('delete', 'BBBBBBBBBBB', '--yes')).deleted, ['BBBBBBBBBBB'])
})

test('the build of the live release is made again unless another is named', async () => {
  const { code, stdout, stderr } = await type('rebuild')
  assert.equal(code, 0, stderr)
  assert.equal(stdout, 'RCCCCCCCCCC\n')
  assert.match(stderr, /rack releases promote RCCCCCCCCCC --app guestbook/)
  const { stdout: json } = await type('rebuild', 'BBBBBBBBBBB', '--json')
  assert.match(json, /"build":"again of BBBBBBBBBBB"/)
})
