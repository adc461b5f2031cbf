import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Engine } from '../../domain/engine.ts'
import { runInside } from './run-inside.ts'

const control = { signal: new AbortController().signal, report: () => undefined }
const inside = { command: ['psql', '-q'], input: 'the login\n', secrets: ['s3cret'] }

/** An engine whose every command answers with what it read, and complains. */
function answering(code: number, complaint = ''): Pick<Engine, 'exec'> {
  return {
    async exec(_copy, command, terminal) {
      await terminal.output('stdout', Buffer.from(`${command.join(' ')} read `))
      for await (const chunk of terminal.input ?? []) await terminal.output('stdout', chunk)
      await terminal.output('stderr', Buffer.from(complaint))
      return code
    },
  }
}

async function* chunks(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text)
}

test('what is sent behind the input is read behind it', async () => {
  const streams = { input: chunks('one ', 'two') }
  const said = await runInside(answering(0, 'a notice'), 'PA', { inside, streams }, control)
  assert.equal(said, 'psql -q read the login\none two')
})

test('a stream takes the output', async () => {
  let said = ''
  const output = async (chunk: Uint8Array) => void (said += Buffer.from(chunk).toString())
  assert.equal(await runInside(answering(0), 'PA', { inside, streams: { output } }, control), '')
  assert.equal(said, 'psql -q read the login\n')
})

test('a failure says what the program said, without secrets', async () => {
  const failing = answering(3, 'ERROR: near "s3cret"\n')
  await assert.rejects(runInside(failing, 'PA', { inside }, control), {
    code: 'service-failed',
    message: 'psql ended with 3: ERROR: near "****"',
  })
})
