import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { wordsOf } from '../../test/support/example-words.ts'
import { commandsOf, root } from '../../test/support/page-commands.ts'
import { buildCommand, markPassThrough } from './build-command.ts'
import { nouns } from './nouns.ts'

const incomplete = new Set(['commander.missingArgument', 'commander.optionMissingArgument', 'commander.help'])

for (const page of ['README.md', ...globSync('docs/*.md', { cwd: root })].sort()) {
  test(`the commands in ${page} are understood`, async () => {
    for (const { text, isQuoted } of commandsOf(page)) {
      const [name = '', ...words] = wordsOf(text)
      const noun = nouns.find((one) => one.name === name)
      assert.ok(noun, `${text}: there is no command "${name}"`)
      const spec = await noun.load()
      const program = buildCommand(spec, async () => undefined, { write: () => undefined, columns: 80 })
      // `[--since]` and `up|down` are offers.
      const typed = words.filter((word) => !/[[\]|]/.test(word))
      try {
        await program.parseAsync(markPassThrough(spec, typed), { from: 'user' })
      } catch (error) {
        const { code, message } = error as Error & { code?: string }
        if (!(isQuoted && incomplete.has(code ?? ''))) assert.fail(`${text}: ${message}`)
      }
    }
  })
}
