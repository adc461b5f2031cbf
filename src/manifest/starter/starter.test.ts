import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readCompose, type Reading } from '../../../test/support/compose.ts'
import { readDockerfile } from './dockerfile.ts'
import { readProcfile } from './procfile.ts'
import { starterFile } from './starter.ts'

/** What a rack makes of the starter of a Procfile; it has nothing to say against it. */
function fromProcfile(text: string, dockerfile: string | null = null, port: number | null = null): Reading {
  const procfile = readProcfile(text)
  assert.deepEqual(procfile.faults, [])
  const reading = readCompose(
    starterFile({ procfile, dockerfile: dockerfile === null ? null : readDockerfile(dockerfile), port }),
  )
  assert.deepEqual(reading.problems, [])
  return reading
}

const rails = `# Procfile of a Rails app
web: bundle exec puma -C config/puma.rb

worker_high: QUEUE=high bundle exec sidekiq
clock:   bin/clock --every "5 minutes" >> log/clock.log 2>&1
assets: cd front && npm start
release: bin/rails db:migrate && echo $RELEASE
`

test('each line of a Procfile is a process; web takes traffic, release runs before it moves', () => {
  const { processes } = fromProcfile(rails)
  const shown = processes.map(({ name, command, ports, releaseCommand }) => ({
    name,
    command,
    ports: ports.map(({ external, container }) => `${external}:${container}`),
    releaseCommand,
  }))
  const none = { ports: [], releaseCommand: null }
  assert.deepEqual(shown, [
    {
      name: 'web',
      command: ['bundle', 'exec', 'puma', '-C', 'config/puma.rb'],
      ports: ['80:3000'],
      releaseCommand: ['sh', '-c', 'bin/rails db:migrate && echo $RELEASE'],
    },
    { name: 'worker-high', command: ['sh', '-c', 'QUEUE=high bundle exec sidekiq'], ...none },
    {
      name: 'clock',
      command: ['sh', '-c', 'bin/clock --every "5 minutes" >> log/clock.log 2>&1'],
      ...none,
    },
    { name: 'assets', command: ['sh', '-c', 'cd front && npm start'], ...none },
  ])
  assert.ok(processes.every(({ build }) => build?.context === '.'))
})

test('the starter of a Procfile reads well', () => {
  const procfile = readProcfile('web: bin/web -p $PORT\nsend_mail: bin/mail\nrelease: bin/migrate\n')
  assert.equal(
    starterFile({ procfile, dockerfile: readDockerfile('FROM ruby\nHEALTHCHECK CMD bin/up\n'), port: 5000 }),
    `# The processes of this app, made from its Procfile. What a rack makes of them: rack manifest check
services:
  web:
    build: .
    command: ["sh", "-c", "exec bin/web -p $$PORT"]
    ports:
      - "80:5000" # the rack listens on 80, the process on 5000, which it also finds in PORT
    labels:
      # Runs once, of the new release, before traffic moves.
      rack.release.command: "bin/migrate"
    # The image's HEALTHCHECK decides when a copy serves.
    # Variables that the app must have before a release is promoted: rack env set DATABASE_URL=…
    # environment:
    #   - DATABASE_URL
    # For the first deploy; afterwards rack scale.
    # deploy:
    #   replicas: 2
    #   resources:
    #     limits:
    #       memory: 512M

  send-mail: # send_mail in the Procfile
    build: .
    command: bin/mail

  # A ready image beside it. It is given the variables that its own \`environment:\` names: others do not restart it.
  # cache:
  #   image: redis:7
  #   labels:
  #     rack.environment: declared
`,
  )
})

test('the last stage of a Dockerfile gives the ports', () => {
  const facts = readDockerfile(`ARG NODE=24
FROM node:$NODE AS build
EXPOSE 9999
ENV PORT=8080 \\
  # in between
  METRICS="9090"
FROM scratch
expose $PORT/tcp \${METRICS} 53/udp \${MORE:-7000} 8080
VOLUME ["/data", "/var/lib/x"]
HEALTHCHECK --interval=5s CMD up
`)
  assert.deepEqual(facts, {
    ports: [8080, 9090, 7000],
    volumes: ['/data', '/var/lib/x'],
    hasHealthcheck: true,
  })
  const { processes, problems } = readCompose(starterFile({ procfile: null, dockerfile: facts, port: null }))
  assert.deepEqual(problems, [])
  assert.deepEqual(
    processes[0]?.ports.map(({ external, container }) => [external, container]),
    [
      [80, 8080],
      [null, 9090],
      [null, 7000],
    ],
  )
})

test('a Dockerfile without EXPOSE gets a port to be checked', () => {
  const dockerfile = readDockerfile('FROM busybox\nHEALTHCHECK NONE\n')
  const text = starterFile({ procfile: null, dockerfile, port: null })
  assert.match(text, /names no port under EXPOSE/)
  assert.match(text, /"80:3000"/)
  assert.deepEqual(readCompose(text).problems, [])
})

test('what is commented out is right once it is not', () => {
  for (const procfile of [null, readProcfile('web: run\nrelease: migrate\n'), readProcfile('job: run\n')]) {
    const dockerfile = readDockerfile('FROM x\nEXPOSE 1234\nVOLUME /data\n')
    const text = starterFile({ procfile, dockerfile, port: null })
    const whole = text.replaceAll(/^( +)# ?( *(?:[a-z]|- ))/gm, '$1$2')
    const { problems, processes } = readCompose(`${whole}volumes:\n  data:\n`)
    assert.deepEqual(problems, [])
    const ready = processes.filter(({ build }) => build === null)
    assert.deepEqual(
      ready.map(({ name, isDeclaredOnly }) => [name, isDeclaredOnly]),
      [['cache', true]],
    )
  }
})

test('a Procfile that cannot be read says which line', () => {
  const { faults } = readProcfile('web run\n1st: a\nweb: a\nWeb: b\nrelease: x\nrelease: y\n---: z\n')
  assert.deepEqual(faults, [
    { line: 1, message: 'not a line of the form `name: command`' },
    { line: 4, message: '"Web" and "web" would both be called "web"' },
    { line: 6, message: '`release` is given twice' },
    { line: 7, message: '"---" cannot be the name of a process' },
  ])
})

test('any command that a Procfile can hold arrives as it is', () => {
  const command = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    .map((text) => text.replaceAll(/[\0\uFFFD\r\n\p{Cs}]/gu, '').trim())
    .filter((text) => text !== '')
  fc.assert(
    fc.property(command, (text) => {
      const procfile = readProcfile(`web: ${text}\n`)
      if (procfile.processes.length === 0) return
      const { processes, problems } = readCompose(starterFile({ procfile, dockerfile: null, port: null }))
      assert.deepEqual(problems, [])
      const given = processes[0]?.command ?? []
      const shell = given[0] === 'sh' ? given[2]?.replace(/^exec /, '') : given.join(' ')
      assert.equal(
        shell?.replaceAll(/\s+/g, ' '),
        procfile.processes[0]?.command.replace(/^exec /, '').replaceAll(/\s+/g, ' '),
      )
    }),
    { numRuns: 500 },
  )
})
