import assert from 'node:assert/strict'
import { test } from 'node:test'
import { declaredFor, linkedFor } from './declared-variables.ts'

const variable = (name: string) => ({ name, value: null })
const links = { DB_URL: 'u', DB_HOST: 'h', MY_DB_URL: 'v', MY_DB_HOST: 'i' }

test('a type gets all variables, or those alone that its file names', () => {
  const environment = [variable('A')]
  assert.deepEqual(declaredFor({ environment }, { A: '1', B: '2' }), { A: '1', B: '2' })
  assert.deepEqual(declaredFor({ environment, isDeclaredOnly: true }, { A: '1', B: '2' }), { A: '1' })
})

test('of its links it gets those of which it names a variable, whole', () => {
  const environment = [variable('DB_HOST')]
  assert.deepEqual(linkedFor({ environment }, links), links)
  assert.deepEqual(linkedFor({ environment, isDeclaredOnly: true }, links), { DB_URL: 'u', DB_HOST: 'h' })
  assert.deepEqual(linkedFor({ environment: [variable('A')], isDeclaredOnly: true }, links), {})
})
