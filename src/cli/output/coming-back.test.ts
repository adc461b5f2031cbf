import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tellComingBack } from './coming-back.ts'

test('a start tells what comes back, and that it has', () => {
  const said: string[] = []
  const { tell, end } = tellComingBack('demo is started (daemon 7)', (text) => said.push(text))
  for (const left of [5, 3, 1, 0]) tell(left)
  end(true)
  assert.deepEqual(said, ['demo is started (daemon 7); 5 apps are coming back', 'all apps are back'])
})

test('a start with nothing to come back is one line, also when the rack is not ready', () => {
  for (const isReady of [true, false]) {
    const said: string[] = []
    const { tell, end } = tellComingBack('demo is started (daemon 7)', (text) => said.push(text))
    tell(0)
    end(isReady)
    assert.deepEqual(said, ['demo is started (daemon 7)'])
  }
})
