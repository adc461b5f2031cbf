import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { installRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'

const execute = promisify(execFile)
const find = async (program: string) => (await execute('sh', ['-c', `command -v ${program}`])).stdout.trim()

interface Report {
  isValid: boolean
  networks: { name: string; isInternal: boolean; processes: string[] }[]
}

const files = {
  'docker-compose.yml': `services:
  web: { image: busybox:1, networks: [front], ports: ["80:3000"] }
  api: { image: busybox:1, networks: [front, back] }
  db: { image: busybox:1, networks: [back], ports: ["5432:5432"] }
networks: { front: , back: { internal: true } }
`,
}

test('check tells who is kept apart, and doctor where nobody can be', async () => {
  await using rack = await installRack()
  await using source = await makeSource(files)
  const { isValid, networks } = await rack.json<Report>('manifest', 'check', source.path)
  assert.equal(isValid, true)
  assert.deepEqual(networks, [
    { name: 'back', isInternal: true, processes: ['api', 'db'] },
    { name: 'front', isInternal: false, processes: ['web', 'api'] },
  ])
  const said = await rack.run('manifest', 'check', source.path)
  assert.match(said, /^back +api, db +none$/m)
  assert.match(said, /^front +web, api +yes$/m)
  assert.match(
    said,
    /^docker-compose.yml:4:\d+: warning: .*the port 5432 of "db" is reached inside the app alone/m,
  )

  assert.doesNotMatch((await rack.attempt(['doctor'])).stdout, / networks +processes/)
  const programs = await mkdtemp(join(tmpdir(), 'rack-programs-'))
  try {
    // All that `rack doctor` starts, but for nft.
    for (const program of ['readlink', 'haproxy', 'ip'])
      await symlink(await find(program), join(programs, program))
    const { stdout } = await rack.attempt(['doctor'], { env: { ...rack.env, PATH: programs } })
    assert.match(
      stdout,
      /warn +networks +processes on separate networks of a file and services reach whom they should not.*nft is not installed/i,
    )
  } finally {
    await rm(programs, { recursive: true })
  }
})
