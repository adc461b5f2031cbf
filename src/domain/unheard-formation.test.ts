import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unheardFormation } from './unheard-formation.ts'

const has = { count: 2, cpuUnits: 256, memoryBytes: 256 * 2 ** 20 }
const typed = (name: string, changes: Partial<typeof has> = {}) => ({
  name,
  formation: { ...has, ...changes },
})

test('what a file says anew and a scale owns is told, with what hands it back', () => {
  const before = [typed('web'), typed('worker')]
  const edited = [typed('web', { count: 3, memoryBytes: 2 ** 30 }), typed('worker')]
  const [said, ...others] = unheardFormation(edited, { web: has, worker: has }, before)
  assert.equal(
    said?.text,
    'web: the file says 3 copies where it has 2 copies and 1 GiB where it has 256 MiB, which rack scale owns since the ' +
      "first deploy: rack scale web --from-file takes the file's",
  )
  assert.deepEqual(others, [])
})

test('what was scaled on purpose is told only where nothing is compared with an earlier file', () => {
  const owned = { web: { ...has, count: 5 } }
  assert.deepEqual(unheardFormation([typed('web')], owned, [typed('web')]), [])
  assert.match(unheardFormation([typed('web')], owned)[0]?.text ?? '', /2 copies where it has 5 copies/)
})

test('of a type that is new nothing is owned yet', () => {
  assert.deepEqual(unheardFormation([typed('web', { count: 9 })], {}, []), [])
  assert.deepEqual(unheardFormation([typed('web', { count: 9 })], { web: has }, []), [])
})
