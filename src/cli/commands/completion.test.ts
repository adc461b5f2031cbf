import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { exampleApp, serveOperations, tokens } from '../../../test/support/scripted-operations.ts'

const program = fileURLToPath(new URL('../../main/cli.ts', import.meta.url))

/** As a program of its own, since the library writes to the real output. */
async function type(...args: string[]): Promise<string> {
  await using rack = await serveOperations({
    listApps: async () => [exampleApp, { ...exampleApp, name: 'blog' }],
  })
  const env = { RACK_URL: rack.url, RACK_TOKEN: tokens.write, XDG_CONFIG_HOME: '/nowhere' }
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { env })
  return stdout
}

function wordsOf(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line) => (line === '' || line.startsWith(':') ? [] : [line.split('\t')[0]!]))
}

test('words, options of a verb and apps are completed', async () => {
  const complete = async (...words: string[]) => wordsOf(await type('complete', '--', ...words))
  assert.deepEqual(await complete('re'), ['releases', 'restart', 'registries', 'restore'])
  assert.deepEqual(await complete('env', 'set', '--pro'), ['--promote'])
  assert.deepEqual(await complete('manifest', 'check', '--for', ''), ['docker', 'aws'])
  assert.deepEqual(await complete('ps', 'b'), ['blog'])
})

test('a script is printed for each shell, and no other', async () => {
  assert.match(await type('completion', 'bash'), /rack complete --/)
  await assert.rejects(type('completion', 'tcsh'), { code: 2 })
})
