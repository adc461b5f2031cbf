import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as sdk from '@aws-sdk/client-codebuild'
import { createSemaphore } from '../../../src/lib/semaphore.ts'
import { createLineSplitter } from '../../../src/lib/lines.ts'
import { AwsError, type FakeAccount, type FakeService } from '../fake-service.ts'
import { inBackground } from '../in-background.ts'
import type { LogLines } from '../links.ts'
import { assertModelled } from '../modelled.ts'

/** By name. */
export type BuildProjects = Record<string, { logGroup: string }>

export interface BuildsOptions {
  account: FakeAccount
  logs: LogLines
  /** Where the account is called; known when it is up. */
  endpoint: () => string
  /** Projects, and the log group of each. */
  projects: BuildProjects
  /** Few in a new account (D). */
  concurrentBuilds?: number
}

interface FakeBuild extends sdk.Build {
  id: string
  token: string | undefined
  child: ChildProcess | null
  isStopped: boolean
}

type Settled = 'SUCCEEDED' | 'FAILED' | 'STOPPED' | 'TIMED_OUT'

/** Until a machine is there (J). */
const [provisionMs, finishMs] = [8000, 2000]
/** What a buildspec's command may be: the program that a project's image brings. */
const program = 'rack-build-in-account'
const entry = new URL('../../../src/main/build-in-account.ts', import.meta.url).pathname

/** CodeBuild: the commands of a buildspec as programs of this machine. Not modelled: sources, artifacts, caches, reports. */
export function createBuilds(options: BuildsOptions): FakeService {
  const builds = new Map<string, FakeBuild>()
  const turns = createSemaphore(options.concurrentBuilds ?? 2)
  // Once: what another build is about to start must not be open for writing.
  let laid: Promise<string> | null = null
  const find = (id: string | undefined) => {
    const found = builds.get(id ?? '')
    if (!found) throw new AwsError('ResourceNotFoundException', `Build ${id} cannot be found`)
    return found
  }
  const actions: FakeService['actions'] = {
    StartBuild: async (input: sdk.StartBuildInput) => {
      const known = [...builds.values()].find(
        ({ token }) => token !== undefined && token === input.idempotencyToken,
      )
      // D: the same token within five minutes is the same build.
      if (known) return { build: shown(known) }
      const build = newBuild(options, input)
      builds.set(build.id, build)
      inBackground(
        options.account,
        turns.run(
          async () => await run({ ...options, bin: await (laid ??= layProgram(options)) }, build, input),
        ),
      )
      return { build: shown(build) }
    },
    BatchGetBuilds: async (input: sdk.BatchGetBuildsInput) => {
      const found = (input.ids ?? []).flatMap((id) => builds.get(id) ?? [])
      return { builds: found.map(shown), buildsNotFound: (input.ids ?? []).filter((id) => !builds.has(id)) }
    },
    StopBuild: async (input: sdk.StopBuildInput) => {
      const build = find(input.id)
      build.isStopped = true
      build.child?.kill('SIGTERM')
      return { build: shown(build) }
    },
  }
  return {
    scope: 'codebuild',
    sdk,
    actions,
    async close() {
      for (const build of builds.values()) {
        build.isStopped = true
        if (build.child && build.child.exitCode === null && build.child.signalCode === null) {
          const ended = once(build.child, 'exit')
          build.child.kill('SIGTERM')
          await ended
        }
      }
    },
  }
}

function newBuild({ account, projects }: BuildsOptions, input: sdk.StartBuildInput): FakeBuild {
  const known = [
    'projectName',
    'idempotencyToken',
    'sourceTypeOverride',
    'buildspecOverride',
    'timeoutInMinutesOverride',
    'environmentVariablesOverride',
  ]
  assertModelled(input, known, 'StartBuild')
  const project = projects[input.projectName ?? '']
  if (!project)
    throw new AwsError('ResourceNotFoundException', `Project cannot be found: ${input.projectName}`)
  // S: 5 minutes to 36 hours.
  const minutes = input.timeoutInMinutesOverride ?? 60
  if (minutes < 5 || minutes > 2160)
    throw new AwsError('InvalidInputException', 'Invalid timeout: 5 to 2160 minutes')
  if (input.sourceTypeOverride !== 'NO_SOURCE')
    throw new AwsError('InvalidInputException', 'only NO_SOURCE is here')
  commandsOf(input.buildspecOverride)
  const own = randomUUID()
  const id = `${input.projectName}:${own}`
  const { region, account: number } = account
  return {
    id,
    arn: `arn:aws:codebuild:${region}:${number}:build/${id}`,
    projectName: input.projectName,
    buildStatus: 'IN_PROGRESS',
    buildComplete: false,
    currentPhase: 'SUBMITTED',
    phases: [],
    startTime: new Date(account.clock.now()),
    logs: { groupName: project.logGroup, streamName: own },
    token: input.idempotencyToken,
    child: null,
    isStopped: false,
  }
}

/** JSON is YAML. @throws AwsError for what is no buildspec of this fake */
function commandsOf(buildspec: string | undefined): string[] {
  const refuse = (why: string) => new AwsError('InvalidInputException', `buildspec: ${why}`)
  if (!buildspec) throw refuse('there is none')
  const { version, phases } = JSON.parse(buildspec) as {
    version: string
    phases: { build?: { commands?: string[] } }
  }
  if (version !== '0.2') throw refuse('version 0.2 alone is here')
  const commands = phases.build?.commands ?? []
  if (Object.keys(phases).join() !== 'build' || commands.join() !== program)
    throw refuse(`${program} alone is here`)
  return commands
}

function shown({ token: _token, child: _child, isStopped: _stopped, ...build }: FakeBuild): sdk.Build {
  return structuredClone(build)
}

/** Gives the directory of the program that a project's image would bring. */
async function layProgram({ account }: BuildsOptions): Promise<string> {
  const bin = join(account.directory, 'bin')
  await mkdir(bin, { recursive: true })
  await writeFile(join(bin, program), `#!/bin/sh\nexec '${process.execPath}' '${entry}'\n`)
  await chmod(join(bin, program), 0o755)
  return bin
}

type RunOptions = BuildsOptions & { bin: string }

async function run(options: RunOptions, build: FakeBuild, input: sdk.StartBuildInput): Promise<void> {
  const { clock } = options.account
  build.currentPhase = 'PROVISIONING'
  await clock.pass(provisionMs)
  build.currentPhase = 'BUILD'
  const status = build.isStopped ? 'STOPPED' : await runProgram(options, build, input)
  build.phases = [
    {
      phaseType: 'BUILD',
      phaseStatus: status,
      ...(status === 'FAILED' && {
        contexts: [{ message: `Error while executing command: ${program}. Reason: exit status 1` }],
      }),
    },
  ]
  build.currentPhase = 'FINALIZING'
  await clock.pass(finishMs)
  build.currentPhase = 'COMPLETED'
  build.buildStatus = status
  build.buildComplete = true
  build.endTime = new Date(clock.now())
}

async function runProgram(
  { account, logs, endpoint, bin }: RunOptions,
  build: FakeBuild,
  {
    environmentVariablesOverride: variables = [],
    timeoutInMinutesOverride: minutes = 60,
  }: sdk.StartBuildInput,
): Promise<Settled> {
  const env = {
    ...Object.fromEntries(variables.map(({ name, value }) => [name, value])),
    PATH: `${bin}:${process.env.PATH}`,
    HOME: account.directory,
    ...(process.env.DOCKER_HOST !== undefined && { DOCKER_HOST: process.env.DOCKER_HOST }),
    AWS_REGION: account.region,
    AWS_ENDPOINT_URL: endpoint(),
    AWS_ACCESS_KEY_ID: 'AKIABUILD',
    AWS_SECRET_ACCESS_KEY: 'fake',
  }
  const child = spawn(join(bin, program), { env, stdio: ['ignore', 'pipe', 'pipe'] })
  build.child = child
  const { groupName, streamName } = build.logs!
  const append = (texts: string[]) =>
    logs.append(
      groupName!,
      streamName!,
      texts.map((text) => ({ timeMs: account.clock.now(), text })),
    )
  append([`[Container] Running command ${program}`])
  for (const stream of [child.stdout, child.stderr]) {
    const splitter = createLineSplitter()
    stream.on('data', (chunk: Buffer) => append(splitter.push(chunk)))
    stream.on('end', () => append(splitter.end()))
  }
  let isLate = false
  // What it does takes this machine's own time.
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGTERM')
  }, minutes * 60_000)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  if (isLate) return 'TIMED_OUT'
  if (build.isStopped) return 'STOPPED'
  return code === 0 ? 'SUCCEEDED' : 'FAILED'
}
