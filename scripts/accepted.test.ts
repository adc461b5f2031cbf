import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeSource } from '../test/support/source.ts'
import { measure } from './accepted.ts'

test('counts what a rack takes of a folder of files, under either policy and once mended, and says why not', async () => {
  await using folder = await makeSource({
    'one/docker-compose.yml': 'services: { web: { image: nginx } }\n',
    'two/compose.yaml': 'services: { web: { image: nginx, volumes: ["/srv:/srv"] } }\n',
    'three.yml': 'services: { web: { image: nginx, restart: allways } }\n',
    'four.yml': 'services: { web: { image: nginx, network_mode: host } }\n',
    'five.yml': 'services: [\n',
    'README.md': '# none of them\n',
  })
  const { reasons, ...counts } = await measure(folder.path)
  assert.deepEqual(counts, {
    files: 5,
    byDefault: 1,
    underAnyPolicy: 2,
    fixedByDefault: 2,
    fixedUnderAnyPolicy: 3,
  })
  assert.ok(reasons.some(([reason]) => reason.startsWith('"network_mode" is refused')))
  assert.ok(reasons.some(([reason]) => reason === '"…" is not a restart policy'))
})
