import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { wordsOf } from '../../test/support/example-words.ts'
import { buildCommand, markPassThrough } from './build-command.ts'
import { nouns } from './nouns.ts'

const root = join(import.meta.dirname, '../..')

interface Line {
  text: string
  /** In the middle of a sentence a command stands for itself, without all that it takes. */
  isQuoted: boolean
}

/** What a page shows that begins with `rack`: lines of its blocks of code, and what stands between backticks. */
function commandsOf(page: string): Line[] {
  const parts = readFileSync(join(root, page), 'utf8').split(/^```.*$/m)
  const lines = parts.flatMap((part, index): Line[] => {
    if (index % 2 === 1) return part.split('\n').map((text) => ({ text, isQuoted: false }))
    return (part.match(/`[^`\n]+`/g) ?? []).map((text) => ({ text: text.slice(1, -1), isQuoted: true }))
  })
  return lines
    .map(({ text, isQuoted }) => ({ text: commandIn(text), isQuoted }))
    .filter(({ text }) => /^rack [a-z]/.test(text) && !text.startsWith('rack help'))
}

/** Without a remark, who runs it, and what a shell does after it. */
function commandIn(text: string): string {
  const bare = text.replace(/\s+#.*$/, '').trim()
  return bare.replace(/^(sudo |\.\.\/\.\.\/bin\/|bin\/)/, '').replace(/(;| &&) .*$/, '')
}

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
