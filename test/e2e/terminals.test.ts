import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from '../../src/lib/poll.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { whenSays } from '../support/saying.ts'
import { makeSource } from '../support/source.ts'

const program = fileURLToPath(new URL('../../bin/rack', import.meta.url))

let rack: InstalledRack

before(async () => {
  rack = await installRack(['--cpu', '1024', '--memory', '1024M'])
  await using source = await makeSource({
    'docker-compose.yml': `services:
  web:
    image: node:24-slim
    command: sh -c 'n=0; while true; do n=$$((n+1)); echo line $$n; sleep 0.3; done'
    stop_grace_period: 1s
`,
  })
  await rack.run('deploy', '--app', 'talk', source.path)
})
after(() => rack[Symbol.asyncDispose]())

const processes = async () => await rack.json<{ id: string; kind: string }[]>('ps', '--app', 'talk')
const webId = async () => (await processes())[0]?.id ?? ''

/** Runs a shell script on a terminal of its own, and returns what that terminal showed; `$SHOWN` is made when it shows `flag`. */
async function onTerminal(script: string, flag = /$^/): Promise<{ code: number | null; shown: string }> {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'terminal-'))
  const flagFile = join(directory.path, 'shown')
  const child = spawn('script', ['--quiet', '--return', '--command', `bash -c '${script}'`, '/dev/null'], {
    env: { ...rack.env, TERM: 'xterm', RACK_APP: 'talk', PROGRAM: program, SHOWN: flagFile },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
    if (flag.test(shown)) writeFileSync(flagFile, '')
  })
  const { promise, resolve } = Promise.withResolvers<number | null>()
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
  child.on('close', resolve)
  const code = await promise
  clearTimeout(timer)
  return { code, shown }
}

test('run on a terminal is a terminal inside, of the same size, that follows when it is resized', async () => {
  const { code, shown } = await onTerminal(
    'stty rows 33 cols 101; (until [ -e "$SHOWN" ]; do sleep 0.1; done; stty -F /dev/tty rows 20 cols 77) & ' +
      `"$PROGRAM" run web -- sh -c "tty; ${whenSized('33 101')}; ${whenSized('20 77')}; exit 5"`,
    /33 101/,
  )
  assert.match(shown, /\/dev\/pts\/0\r+\n33 101\r+\n20 77\r+\n/)
  assert.equal(code, 5)
})

test('without a terminal standard output and error stay apart, and tty says there is none', async () => {
  const said = await rack.attempt([
    'run',
    'web',
    '--app',
    'talk',
    '--',
    'sh',
    '-c',
    'tty; echo bad >&2; exit 3',
  ])
  assert.deepEqual([said.code, said.stdout, said.stderr], [3, 'not a tty\n', 'bad\n'])
})

test('exec in a process that ends, ends too', async () => {
  const id = await webId()
  const { child, said } = rack.start(['exec', id, '--', 'sh', '-c', 'echo in; sleep 60; echo slept'])
  await whenSays(child, /in/)
  await rack.run('ps', 'stop', id)
  const { code, stdout } = await said
  assert.ok(code, 'it did not end with an exit code of its own')
  assert.equal(stdout, 'in\n')
})

for (const signal of ['SIGKILL', 'SIGINT'] as const) {
  test(`what exec and run had started is gone inside when their client dies by ${signal}`, async () => {
    const id = await webId()
    const exec = rack.start(['exec', id, '--', 'sh', '-c', 'echo in; sleep 7777'])
    await whenSays(exec.child, /in/)
    const run = rack.start(['run', 'web', '--app', 'talk', '--', 'sh', '-c', 'echo in; sleep 8888'])
    await whenSays(run.child, /in/)
    assert.match(await commandsIn(id), /sleep 7777/)
    assert.equal((await processes()).length, 2)
    exec.child.kill(signal)
    run.child.kill(signal)
    await Promise.all([exec.said, run.said])
    const areGone = async () => !/sleep 7777/.test(await commandsIn(id)) && (await processes()).length === 1
    await until(areGone, { deadlineMs: 20_000, what: 'what they had started to end' })
  })
}

/** A piece of shell that prints the size of its terminal when it is this one. */
function whenSized(size: string): string {
  return `until stty size | grep -qx ${size.replace(' ', '.')}; do sleep 0.1; done; stty size`
}

async function commandsIn(id: string): Promise<string> {
  return await rack.run('exec', id, '--', 'sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\000" " "')
}

test('a command that is not there, and a process that is not, say so', async () => {
  const id = await webId()
  const command = await rack.attempt(['exec', id, '--', 'no-such-program'])
  // The engine's choice.
  assert.ok(command.code === 126 || command.code === 127)
  assert.match(command.stderr + command.stdout, /no-such-program/)
  const type = await rack.attempt(['run', 'nope', '--app', 'talk', '--', 'true'])
  assert.equal(type.code, 1)
  assert.match(type.stderr, /nope[^]*→ |web/)
})

test('logs -f shows what comes until Ctrl-C, which is its usual end', async () => {
  const { child, said } = rack.start(['logs', 'talk', '-f'])
  await whenSays(child, /(line \d+[^]*){5}/)
  child.kill('SIGINT')
  const { code, stdout, stderr } = await said
  assert.deepEqual([code, stderr], [0, ''])
  const id = await webId()
  const numbers = [...stdout.matchAll(new RegExp(`${id} +\\| line (\\d+)`, 'g'))].map(([, number]) =>
    Number(number),
  )
  assert.ok(numbers.length > 3)
  assert.deepEqual(
    numbers,
    Array.from(numbers, (_, at) => (numbers[0] ?? 0) + at),
  )
})
