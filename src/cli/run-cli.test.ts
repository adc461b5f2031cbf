import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../domain/error.ts'
import { wordsOf } from '../../test/support/example-words.ts'
import { exampleApp, exampleDetails } from '../../test/support/scripted-operations.ts'
import { typeCommand } from '../../test/support/type-command.ts'
import { buildCommand, markPassThrough, optionsOf } from './build-command.ts'
import type { CommandSpec } from './command-spec.ts'
import { nouns } from './nouns.ts'

test('mistakes of usage exit 2, say what is wrong, and what was probably meant', async () => {
  const cases: [string[], RegExp][] = [
    [[], /Usage: rack <command>/],
    [['pss'], /there is no command "rack pss"\n.*"rack ps"/],
    [['hlep'], /"rack help"|rack help/],
    [['rollback', 'RAAAAAAAAAA'], /no command "rack rollback"\n.*Did you mean "rack releases rollback"\?/],
    [['ps', '--stast'], /unknown option '--stast'\n.*--stats/],
    [['ps', 'inof', 'b'], /there is no command "rack ps inof"/],
    [['apps', 'info', 'a', 'b'], /too many arguments/],
    [['ps', 'info'], /missing required argument 'process'/],
    [['logs', '--tail'], /argument missing/],
    [['manifest'], /rack manifest needs a verb/],
    [['help', 'nope'], /there is no command "rack nope"/],
  ]
  for (const [args, said] of cases) {
    const { code, stdout, stderr } = await typeCommand(args)
    assert.equal(code, 2, args.join(' '))
    assert.equal(stdout, '')
    assert.match(stderr, said)
  }
})

test('help is data: of all, of a noun, of a verb', async () => {
  for (const args of [['help'], ['--help'], ['-h']]) {
    const { code, stdout } = await typeCommand(args)
    assert.equal(code, 0)
    for (const { name, isHidden } of nouns)
      assert.equal(new RegExp(`^  ${name} `, 'm').test(stdout), !isHidden, name)
  }
  for (const args of [
    ['help', 'releases'],
    ['releases', '--help'],
    ['releases', 'promote', '--help'],
  ]) {
    const { code, stdout } = await typeCommand(args)
    assert.equal(code, 0)
    assert.match(stdout, /Examples:\n {2}\$ rack releases/)
  }
})

test('options before the first word belong to the command', async () => {
  const seen: string[] = []
  const rack = {
    listProcesses: async (app: string) => {
      seen.push(app)
      return []
    },
    getApp: async () => ({ ...exampleApp, ...exampleDetails }),
  }
  await typeCommand(['--app', 'first', 'ps'], { rack })
  await typeCommand(['-a', 'second', '--json', 'ps'], { rack })
  await typeCommand(['ps', 'third'], { rack })
  await typeCommand(['ps'], { rack })
  assert.deepEqual(seen, ['first', 'second', 'third', 'guestbook'])
})

test('a reply is data on stdout, the same as JSON', async () => {
  const rack = { listApps: async () => [exampleApp] }
  assert.match(
    (await typeCommand(['apps'], { rack })).stdout,
    /^APP .*\nguestbook {2}running {2}RAAAAAAAAAA {2}no/,
  )
  assert.deepEqual(JSON.parse((await typeCommand(['apps', '--json'], { rack })).stdout), [exampleApp])
})

test('an error says what failed and what to type, on stderr; with --json as one line', async () => {
  const rack = {
    listApps: async () => {
      throw new RackError('engine-unavailable', 'Docker Engine does not answer', { hint: 'rack doctor' })
    },
  }
  const plain = await typeCommand(['apps'], { rack })
  assert.deepEqual([plain.code, plain.stdout], [1, ''])
  assert.equal(plain.stderr, 'error: Docker Engine does not answer\n→ rack doctor\n')
  const json = await typeCommand(['apps', '--json'], { rack })
  const { type, error } = JSON.parse(json.stderr) as { type: string; error: Record<string, unknown> }
  assert.equal(json.stdout, '')
  assert.deepEqual([type, error['code'], error['hint']], ['error', 'engine-unavailable', 'rack doctor'])
})

test('a stream ends with its error as a line of stdout', async () => {
  const rack = {
    restartApp: async () => {
      throw new RackError('busy', 'another change runs')
    },
  }
  const { code, stdout } = await typeCommand(['restart', '--json'], { rack })
  assert.equal(code, 1)
  const last = JSON.parse(stdout.trim().split('\n').at(-1)!) as { type: string; error: { code: string } }
  assert.deepEqual([last.type, last.error.code], ['error', 'busy'])
})

test('every command has a name of its own, --json, and examples that begin with it', async () => {
  for (const noun of nouns) {
    const spec = await noun.load()
    assert.equal(spec.name, noun.name)
    checkSpec(spec, noun.name)
  }
})

test('every example is understood', async () => {
  for (const noun of nouns) {
    const spec = await noun.load()
    const program = buildCommand(spec, async () => undefined, { write: () => undefined, columns: 80 })
    for (const line of examplesOf(spec)) {
      const words = wordsOf(line).slice(1)
      await program.parseAsync(markPassThrough(spec, words), { from: 'user' })
    }
  }
})

function checkSpec(spec: CommandSpec, path: string): void {
  assert.ok(spec.examples.length > 0, path)
  for (const example of spec.examples)
    assert.ok(
      example.startsWith(path) || example.includes(` rack ${path}`),
      `"${example}" is no example of ${path}`,
    )
  const flags = optionsOf(spec).map(({ flags }) => flags.split(/[ ,]+/)[0])
  assert.equal(new Set(flags).size, flags.length, `${path} has an option twice`)
  assert.ok(spec.run ?? spec.commands, path)
  for (const verb of spec.commands ?? []) checkSpec(verb, `${path} ${verb.name}`)
}

function examplesOf(spec: CommandSpec): string[] {
  return [...spec.examples, ...(spec.commands ?? []).flatMap(examplesOf)]
}

/** As a shell would see them, without pipes and redirections. */
