import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempDisposable, readdir, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { abortable } from '../lib/deadline.ts'
import { serveOperations, tokens } from '../../test/support/scripted-operations.ts'

const program = fileURLToPath(new URL('cli.ts', import.meta.url))
const contents = { rack: 'home', version: '1', created: '2026-11-30T05:10:00.000Z', images: 0 }

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`what must not be left half comes to its end at ${signal}`, async () => {
    const asked = Promise.withResolvers<void>()
    await using rack = await serveOperations({
      planRackBackup: async () => ({ ...contents, volumes: [], services: [], lacks: [] }),
      async backupRack(_request, out, control) {
        await out(Buffer.from('begun'))
        asked.resolve()
        await abortable(new Promise<never>(() => undefined), control.signal)
      },
    })
    await using folder = await mkdtempDisposable(join(tmpdir(), 'leave-'))
    const key = join(folder.path, 'key')
    await writeFile(key, Buffer.alloc(32, 7))
    const args = [program, 'backup', '--key-file', key, '--output', join(folder.path, 'rack.backup')]
    const env = { ...process.env, XDG_CONFIG_HOME: folder.path, RACK_URL: rack.url, RACK_TOKEN: tokens.write }
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
    const said = text(child.stderr)
    const ended = once(child, 'exit') as Promise<[number | null, string | null]>
    await Promise.race([asked.promise, ended])
    child.kill(signal)
    assert.deepEqual(await ended, [130, null], await said)
    assert.match(await said, /the backup was ended: nothing of it is there/)
    assert.deepEqual(await readdir(folder.path), ['key'])
  })
}
