import assert from 'node:assert/strict'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { projectDirectory } from './project-directory.ts'
import { selectApp } from './select-app.ts'
import { typeCommand } from '../../test/support/type-command.ts'

test('the nearest compose file upwards says where the app is, and what it is called', async () => {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'rack-up-')))
  try {
    const project = join(root, 'My_Shop')
    const below = join(project, 'src', 'deep')
    await mkdir(below, { recursive: true })
    assert.equal(projectDirectory(below), below, 'there is none')
    await writeFile(join(project, 'compose.yml'), 'services: { web: { image: x } }\n')
    assert.equal(projectDirectory(below), project)
    assert.equal(projectDirectory(project), project)
    assert.equal(selectApp({ env: {}, directory: below }).name, 'my-shop')
    const { code, stdout } = await typeCommand(['manifest', 'check'], { cwd: below })
    assert.deepEqual([code, /^compose\.yml: no problems/m.test(stdout)], [0, true], stdout)
    await writeFile(join(below, 'docker-compose.yml'), 'services: { api: { image: x } }\n')
    assert.equal(projectDirectory(below), below, 'the nearer one')
  } finally {
    await rm(root, { recursive: true })
  }
})
