import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommanderError } from 'commander'
import { apps } from './commands/apps.ts'
import { usageError } from './usage-error.ts'

const excess = (message: string) => new CommanderError(1, 'commander.excessArguments', `error: ${message}`)
const cases: [string, CommanderError, string[], [string, string]][] = [
  [
    'a misspelt verb',
    excess('too many arguments'),
    ['--rack', 'demo', 'delet', 'shop'],
    ['there is no command "rack apps delet"', 'Did you mean "rack apps delete"?'],
  ],
  [
    'a verb like no other',
    excess('too many arguments'),
    ['frobnicate'],
    ['there is no command "rack apps frobnicate"', 'rack apps --help'],
  ],
  [
    'a word too many for a verb',
    excess("too many arguments for 'info'."),
    ['info', 'a', 'b'],
    ["too many arguments for 'info'.", 'rack apps info --help'],
  ],
  [
    'a verb that is missing',
    new CommanderError(1, 'commander.help', '(outputHelp)'),
    [],
    ['rack apps needs a verb', 'rack apps --help'],
  ],
]
for (const [what, error, args, said] of cases) {
  test(`a usage mistake is said in a person's words: ${what}`, () => {
    const { code, message, hint } = usageError(error, apps, args)
    assert.deepEqual([code, [message, hint]], ['usage', said])
  })
}
