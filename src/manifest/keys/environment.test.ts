import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose, readWeb } from '../../../test/support/compose.ts'

function variablesOf(keys: string): Record<string, string | null> {
  const { environment } = readWeb(keys).web
  return Object.fromEntries(environment.map(({ name, value }) => [name, value]))
}

test('both syntaxes; a name without a value is required', () => {
  const expected = { A: '1', B: '', C: null, D: 'a=b' }
  assert.deepEqual(variablesOf('environment: ["A=1", "B=", C, "D=a=b"]'), expected)
  assert.deepEqual(variablesOf('environment: { A: 1, B: "", C: , D: "a=b" }'), expected)
})

test('values that are not text are written as Compose writes them, with a warning where that surprises', () => {
  const { web, problems } = readWeb(
    'environment: { A: true, B: 1.10, C: 0x10, D: 0644, E: 1e3, F: yes, G: 12345678901234567890, H: 22:22, I: "1.10", J: 1.5 }',
  )
  assert.deepEqual(
    web.environment.map(({ value }) => value),
    ['true', '1.1', '16', '420', '1000', 'yes', '12345678901234567890', '22:22', '1.10', '1.5'],
  )
  assert.deepEqual(
    problems.map((problem) => /quote it: (.*)$/.exec(problem)?.[1]),
    ['"1.10"', '"0x10"', '"0644"', '"1e3"'],
  )
})

test('a name without a value takes that of .env, unless the app has one', () => {
  const text = 'services:\n  web:\n    image: x\n    environment: [A, B, "C=$C", D]\n'
  const { processes, problems } = readCompose(text, { B: 'app' }, { dotenv: 'A=1\nB=2\nC=3\n' })
  assert.deepEqual(
    processes[0]?.environment.map(({ name, value }) => `${name}=${value}`),
    ['A=1', 'B=null', 'C=3', 'D=null'],
  )
  assert.deepEqual(problems, [])
})

test('env_file lies below environment', () => {
  const text =
    'services:\n  web:\n    image: x\n    env_file: [a.env, { path: ./b.env, required: false }, { path: raw.env, format: raw }]\n    environment: { B: own }\n'
  const texts = { 'a.env': 'A=1\nB=2\nC="x $A"\n', 'raw.env': 'R="$A"\n' }
  const { processes, problems } = readCompose(text, {}, { texts })
  assert.deepEqual(problems, [])
  assert.deepEqual(
    processes[0]?.environment.map(({ name, value }) => `${name}=${value}`),
    ['A=1', 'B=own', 'C=x 1', 'R="$A"'],
  )
  assert.match(readCompose(text).problems[0] ?? '', /4:16: error: .*the file "a.env" does not exist/)
  assert.match(
    readWeb('env_file: ../x').problems[0] ?? '',
    /outside of the source directory; .*, or go to the directory above .*: rack deploy -f FOLDER\/c\.yml$/,
  )
  assert.match(readWeb('env_file: /x').problems[0] ?? '', /use a path below the compose file$/)
  const bad = readCompose(text, {}, { texts: { ...texts, 'a.env': 'A=1\nno way\n' } })
  assert.match(bad.problems[0] ?? '', /^a.env:2:1: error: .*not a line of the form NAME=value/)
})

test('a file of variables may name those of the process and of the files before it', () => {
  const text =
    'services:\n  web:\n    image: x\n    env_file: [a.env, b.env]\n    environment: { OWN: own, TWICE: top }\n'
  const texts = { 'a.env': 'A=1\nB=a\n', 'b.env': 'B=b\nC=$A-$B-$OWN-$TWICE-$APPS\nTWICE=file\n' }
  const { processes, problems } = readCompose(text, { APPS: 'app' }, { texts })
  assert.deepEqual(problems, [])
  const { C, TWICE } = Object.fromEntries(processes[0]!.environment.map(({ name, value }) => [name, value]))
  assert.deepEqual({ C, TWICE }, { C: '1-b-own-top-app', TWICE: 'top' })
})

test('a dollar that starts no variable is one, with a warning', () => {
  const { web, problems } = readWeb('environment: { A: "^a$", B: $5 }')
  assert.deepEqual(
    web.environment.map(({ value }) => value),
    ['^a$', '$5'],
  )
  assert.match(problems.join('\n'), /warning: services.web.environment.A: a `\$` that starts no variable/)
  assert.match(problems[0] ?? '', /write `\$\$`/)
})

test("the rack's own names are said to be so", () => {
  const { web, problems } = readWeb('environment: { APP: x, PORT: 5000 }')
  assert.match(problems.join('\n'), /warning: .*APP is set by the rack/)
  const text = 'services:\n  web: { image: x, env_file: a.env }\n'
  const reading = readCompose(text, {}, { texts: { 'a.env': 'A=1\nRELEASE=2\n' } })
  assert.match(reading.problems.join('\n'), /^2:30: warning: .*RELEASE is set by the rack/)
  assert.deepEqual(
    reading.processes[0]?.environment.map(({ name }) => name),
    ['A'],
  )
  assert.deepEqual(web.environment, [{ name: 'PORT', value: '5000' }])
})

test('what processes take from files is bounded, however often a file is named', () => {
  const file = Array.from({ length: 1000 }, (_, at) => `A${at}=1`).join('\n')
  const processes = Array.from({ length: 100 }, (_, at) => `  p${at}: { image: x, env_file: a.env }\n`)
  const { problems } = readCompose(`services:\n${processes.join('')}`, {}, { texts: { 'a.env': file } })
  assert.equal(problems.length, 1)
  assert.match(problems[0] ?? '', /too many variables are taken from files/)
})
