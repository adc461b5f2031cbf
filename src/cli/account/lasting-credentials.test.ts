import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkLastingCredentials } from './lasting-credentials.ts'

test('a daemon that systemd starts is not left without credentials', () => {
  const keys = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'x' }
  assert.throws(() => checkLastingCredentials(keys, { isBySystemd: true }), { code: 'conflict' })
  checkLastingCredentials(keys, { isBySystemd: false })
  checkLastingCredentials({ AWS_PROFILE: 'racks' }, { isBySystemd: true })
})
