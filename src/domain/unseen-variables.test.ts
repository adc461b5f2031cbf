import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProcessType } from './manifest.ts'
import { unseenText, unseenVariables } from './unseen-variables.ts'

const web = { name: 'web', ports: [{ container: 3000 }] as ProcessType['ports'] }
const worker = { name: 'worker', ports: [] }

test('a value for PORT is never seen where a process has a port, and is anywhere else', () => {
  assert.deepEqual(unseenVariables([web, worker], { PORT: '8000' }), [{ name: 'PORT', processes: ['web'] }])
  assert.deepEqual(unseenVariables([worker], { PORT: '8000' }), [])
  assert.deepEqual(unseenVariables([web], { PORT: '3000' }), [], 'it is what the rack says too')
})

test('the other names of the rack are its own for every process', () => {
  const found = unseenVariables([web, worker], { RELEASE: '1', GREETING: 'hi' })
  assert.deepEqual(unseenText(found), [
    'RELEASE is set by the rack for web, worker; the value of the app is never seen there',
  ])
})
