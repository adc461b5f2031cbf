import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { RackError } from '../../domain/error.ts'
import type { AppLogLine } from '../../domain/engine.ts'
import type { Operations } from '../../operations/operations.ts'
import { steers, terminalTexts } from '../../../test/support/hostile/terminal-texts.ts'
import { exampleApp } from '../../../test/support/scripted-operations.ts'
import { typeCommand, type TypeOptions } from '../../../test/support/type-command.ts'

const time = '2026-11-23T05:05:52.949Z'
/** Ours: dim, red, green, yellow, blue, magenta, cyan, and the end of each; and the line that is drawn over. */
const redrawn = '\r\u001b[2K'
const ours = [redrawn, ...[2, 22, 31, 32, 33, 34, 35, 36, 39].map((color) => `\u001b[${color}m`)]

const line: AppLogLine = {
  time,
  app: 'guestbook',
  type: 'web',
  process: 'PAAAAAAAAAA',
  release: 'RAAAAAAAAAA',
  cursor: 'c1',
  stream: 'stdout',
  text: '',
}

/** A rack of which every word tries to steer. */
function hostileRack(text: string): Partial<Operations> {
  const failure = {
    process: 'PAAAAAAAAAA',
    type: 'web',
    reason: 'exited',
    exitCode: 1,
    lastLines: [text],
    probe: `GET / answered ${text}`,
  }
  return {
    async *appLogs() {
      yield { ...line, text }
    },
    async *buildLog() {
      yield { type: 'log', text, process: 'web', time }
      yield { type: 'phase', phase: 'build', state: 'ended', ms: 1, detail: text, time }
    },
    async *watchEvents() {
      yield {
        type: 'event',
        cursor: 7,
        time,
        noun: 'app',
        change: 'created',
        app: 'shop',
        id: 'shop',
        facts: { text },
      } as never
    },
    listApps: async () => [{ ...exampleApp, name: `shop${text}` }],
    getEnvironment: async () => ({ GREETING: text }),
    promoteRelease: async (_app, _release, _options, { report }) => {
      report({ type: 'log', text, time })
      report({ type: 'phase', phase: text, state: 'started', time })
      throw new RackError('deploy-failed', `web: ${text}`, { hint: `look at ${text}`, details: [failure] })
    },
  }
}

const commands = [
  ['logs', 'guestbook'],
  ['builds', 'logs', 'BAAAAAAAAAA', '--app', 'guestbook'],
  ['events'],
  ['apps'],
  ['env', 'get', 'GREETING', '--app', 'guestbook'],
  ['env', '--app', 'guestbook'],
  ['releases', 'promote', 'RAAAAAAAAAA', '--app', 'guestbook'],
]

async function type(args: string[], text: string, options: TypeOptions) {
  return { command: args.join(' '), ...(await typeCommand(args, { rack: hostileRack(text), ...options })) }
}

async function typeAll(text: string, options: TypeOptions) {
  return await Promise.all(commands.map(async (args) => await type(args, text, options)))
}

test('no word of a rack steers the terminal of its reader, whatever the command', async () => {
  for (const [index, { attack, text }] of terminalTexts.entries()) {
    // All of them go through the same door: each command meets some, and the lines of a log all.
    const some = new Set([commands[0]!, commands[index % commands.length]!])
    for (const args of some) {
      const { command, stdout, stderr } = await type(args, `<${text}>`, { isTerminal: true })
      assert.ok(
        !steers(stdout + stderr, ours),
        `${attack}: rack ${command}: ${JSON.stringify(stdout + stderr)}`,
      )
    }
  }
})

test('only our own colours are colours: the same ones of a process are not', async () => {
  const said = await typeAll('\u001b[32mlive\u001b[39m', { isTerminal: true, env: { NO_COLOR: '1' } })
  for (const { command, stdout, stderr } of said) {
    assert.ok(!steers(stdout + stderr, [redrawn]), `rack ${command}`)
  }
  const { stdout } = await typeCommand(['logs', 'guestbook'], {
    rack: hostileRack('\u001b[32mlive\u001b[39m'),
    isTerminal: true,
  })
  assert.equal(
    stdout,
    '\u001b[2m05:05:52\u001b[22m \u001b[36mweb/PAAAAAAAAAA\u001b[39m \u001b[2m|\u001b[22m live\n',
  )
})

test('a pipe gets data as it is; the conversation steers nothing there either', async () => {
  const text = '\u001b]52;c;YQ==\u0007\u001b[31mred\u202e'
  const said = await typeAll(text, {})
  for (const { command, stderr } of said) assert.ok(!steers(stderr), `rack ${command}`)
  const [logs, builds] = said
  assert.ok(logs?.stdout.endsWith(` | ${text}\n`))
  assert.ok(builds?.stdout.startsWith(`web | ${text}\n`))
})

test('JSON has every letter; on a terminal those that steer are written as numbers', async () => {
  for (const { attack, text } of terminalTexts) {
    const logs = await type(['logs', 'guestbook', '--json'], text, {})
    assert.equal((JSON.parse(logs.stdout) as AppLogLine).text, text, attack)
    assert.ok(logs.stdout.includes(JSON.stringify(text)), `${attack}: a pipe has it as JSON has it`)
    const shown = await type(['logs', 'guestbook', '--json'], text, { isTerminal: true })
    assert.ok(!steers(shown.stdout), attack)
    assert.equal((JSON.parse(shown.stdout) as AppLogLine).text, text, attack)
  }
})

/** What may write past the door: it is a program's own terminal, a tar, or the door itself, of which a screen is a part. */
const writers = ['files/pour.ts', 'output/output.ts', 'output/screen.ts', 'terminal/local-terminal.ts']

test('nothing of the command line writes to a terminal past the door', async () => {
  const folder = join(import.meta.dirname, '..')
  const files = (await readdir(folder, { recursive: true })).filter((name) => /(?<!\.test)\.ts$/.test(name))
  const found: string[] = []
  for (const file of files) {
    const text = await readFile(join(folder, file), 'utf8')
    if (/\b(stdout|stderr|stream)\.write\(|\bconsole\.\w+\(/.test(text)) found.push(file)
  }
  assert.deepEqual(found.sort(), writers)
})
