import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

test('a pipe is never painted, whatever the environment says of CI', () => {
  const script = `
    const { createOutput } = await import(${JSON.stringify(new URL('output.ts', import.meta.url).href)})
    const { stdout, stderr, env } = process
    const output = createOutput({ stdout, stderr, env })
    output.data(output.colors.data.green('data') + output.colors.say.dim('say'))
  `
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, CI: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  })
  assert.equal(printed, 'datasay\n')
})
