import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { mysql } from '../types/mysql.ts'
import { redis } from '../types/redis.ts'

for (const [type, client, trusting, careless] of [
  [redis, 'redis-cli', /--cacert \/ca\.pem/, /--tls .*--insecure/],
  [mysql, 'mysql', /--ssl-ca=\/ca\.pem --ssl-mode=VERIFY_IDENTITY/, /--ssl-mode=REQUIRED/],
] as const)
  test(`the client of a ${type.name} of the account looks at its certificate where it knows whose that may be`, async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-client-'))
    await writeFile(join(directory.path, client), '#!/bin/sh\necho "$@"\n', { mode: 0o755 })
    const said = async (more: Record<string, string>) => {
      const [, ...args] = type.console!(null).command
      const place = { SERVICE_HOST: 'db.test', SERVICE_PORT: '1', SERVICE_PASSWORD: 'p' }
      const env = {
        PATH: directory.path,
        MYSQL_ROOT_PASSWORD: 'p',
        ...place,
        ...more,
      }
      return (await promisify(execFile)('/bin/sh', args, { env })).stdout
    }
    assert.match(await said({ SERVICE_AUTHORITIES: '/ca.pem' }), trusting)
    // Of an earlier version.
    assert.match(await said({}), careless)
  })
