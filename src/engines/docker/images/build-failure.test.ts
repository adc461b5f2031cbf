import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildFailed, type BuildFailure, type FailedBuild } from './build-failure.ts'
import { readInstructions } from './dockerfile.ts'
import { noLines, withStages } from './named-stages.ts'

function failure(overrides: Partial<FailedBuild>) {
  const dockerfileText = overrides.dockerfileText ?? 'FROM a\n\nRUN npm ci\n'
  const error = buildFailed({
    processes: ['web', 'worker'],
    build: 'BABCDEFGHIJ',
    dockerfile: 'api/Dockerfile',
    dockerfileText,
    instructions: readInstructions(dockerfileText),
    message: '',
    exitCode: null,
    step: null,
    added: noLines,
    ...overrides,
  })
  return {
    code: error.code,
    text: error.message,
    hint: error.hint ?? '',
    details: error.details as BuildFailure,
  }
}

const step = (error: string) => ({ step: '[2/2] RUN npm ci', error, tail: ['npm ERR'] })

test('the words of old and new BuildKits, and of the classic builder, give the exit code', () => {
  const old = failure({ step: step('executor failed running [/bin/sh -c npm ci]: exit code: 217') })
  const recent = failure({
    step: step('process "/bin/sh -c npm ci" did not complete successfully: exit code: 217'),
  })
  const words = "The command '/bin/sh -c npm ci' returned a non-zero code: 217"
  const classic = failure({ step: step(words), exitCode: 217 })
  for (const { code, text, details } of [old, recent, classic]) {
    assert.equal(code, 'build-failed')
    assert.equal(text, 'web: step [2/2] RUN npm ci failed: exit code 217')
    assert.deepEqual(details, {
      processes: ['web', 'worker'],
      step: '[2/2] RUN npm ci',
      line: 3,
      exitCode: 217,
      tail: ['npm ERR'],
    })
  }
})

test('a line of a Dockerfile inside the compose file is quoted', () => {
  const { hint, details } = failure({ dockerfile: null, step: step('exit code: 1') })
  assert.equal(details.line, 3)
  assert.match(hint, /^Look at line 3 of build.dockerfile_inline of web, worker, "RUN npm ci"; the whole log/)
  const nowhere = failure({ dockerfile: null, message: 'pull access denied' })
  assert.match(nowhere.hint, /look at FROM in build.dockerfile_inline of web, worker\.$/)
})

test('a Dockerfile that cannot be read names the line', () => {
  const prefix = 'failed to solve with frontend dockerfile.v0: failed to create LLB definition: '
  const old = failure({ message: `${prefix}dockerfile parse error line 2: unknown instruction: BOGUS` })
  assert.equal(old.text, 'web: dockerfile parse error line 2: unknown instruction: BOGUS')
  assert.equal(old.details.line, 2)
  const recent = failure({
    message: 'failed to solve: dockerfile parse error on line 7: unknown instruction: X',
  })
  assert.equal(recent.text, 'web: dockerfile parse error on line 7: unknown instruction: X')
  assert.match(recent.hint, /api\/Dockerfile:7; the whole log: rack builds logs BABCDEFGHIJ/)
})

test('a full disk is no fault of the build', () => {
  const message = 'write /x: no space left on device'
  assert.equal(failure({ step: step(message), message }).code, 'disk-full')
  const exit = 'executor failed running [/bin/sh -c npm ci]: exit code: 1'
  const tail = ["dd: error writing '/big': No space left on device"]
  const inStep = failure({ step: { ...step(exit), tail }, message: exit })
  assert.equal(inStep.code, 'disk-full')
  assert.match(inStep.hint, /rack prune --build-cache/)
})

test('a missing base image and a syntax line are told apart', () => {
  const loading = '[internal] load metadata for docker.io/library/a:1'
  const base = failure({ step: { step: loading, error: 'no such host', tail: [] } })
  assert.match(base.hint, /FROM in api\/Dockerfile/)
  const frontends = 'failed to solve with frontend dockerfile.v0: failed to solve with frontend gateway.v0'
  const resolving = 'resolve image config for docker.io/docker/dockerfile:1'
  const syntax = failure({
    dockerfileText: '# syntax=docker/dockerfile:1\nFROM a\n',
    message: `${frontends}: no such host`,
    step: { step: resolving, error: 'no such host', tail: [] },
  })
  assert.match(syntax.hint, /# syntax=docker\/dockerfile:1/)
})

test('a line is told as it was written, whatever was put before it', () => {
  const dockerfileText = 'ARG A\nFROM a\nRUN npm ci\n'
  const { text, added } = withStages(dockerfileText, [{ name: 'lib', image: 'x:1' }], 'web')
  assert.equal(text, 'ARG A\nFROM x:1 AS lib\nFROM a\nRUN npm ci\n')
  const of = { dockerfileText: text, instructions: readInstructions(text), added }
  assert.equal(failure({ ...of, step: step('exit code: 1') }).details.line, 3)
  const message = 'dockerfile parse error line 4: unknown instruction: X'
  const inFile = failure({ ...of, message, dockerfile: null })
  assert.match(inFile.hint, /line 3 of build.dockerfile_inline of web, worker, "RUN npm ci"/)
  assert.equal(failure({ ...of, message: 'dockerfile parse error line 1: x' }).details.line, 1)
  assert.throws(() => withStages('FROM a AS Lib\n', [{ name: 'lib', image: 'x' }], 'web'), {
    code: 'invalid',
    message: /^web: build\.additional_contexts: the Dockerfile has a stage "lib" of its own/,
  })
})
