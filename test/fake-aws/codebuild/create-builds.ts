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
import { labelOptions } from '../ecs/task-network.ts'
import type { Images, LogLines } from '../links.ts'
import { assertModelled } from '../modelled.ts'

/** By name. */
export type BuildProjects = Record<string, BuildProject>

export interface BuildProject {
  logGroup: string
  /** Its own variables. */
  variables: Record<string, string>
  /** Whether the rack's image that a build runs is a real one; else its program runs from its sources. */
  isInstalled: boolean
}

export interface BuildsOptions {
  account: FakeAccount
  logs: LogLines
  /** Where the account is called; known when it is up. */
  endpoint: () => string
  projects: BuildProjects
  images: Images
  /** A fresh login's. */
  registryPassword: () => Promise<string>
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
const dockerStandIn = new URL('docker-stand-in.ts', import.meta.url).pathname

/**
 * CodeBuild: the commands of a buildspec as programs of this machine, beside what AWS's image of it brings. Not modelled:
 * sources, artifacts, caches, reports.
 */
export function createBuilds(options: BuildsOptions): FakeService {
  const builds = new Map<string, FakeBuild>()
  const turns = createSemaphore(options.concurrentBuilds ?? 2)
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
        turns.run(async () => await run(options, build, input)),
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
      endCommands(build)
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
          endCommands(build)
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
  if (Object.keys(phases).join() !== 'build' || commands.length === 0)
    throw refuse('a phase "build" with its commands alone is here')
  return commands
}

function shown({ token: _token, child: _child, isStopped: _stopped, ...build }: FakeBuild): sdk.Build {
  return structuredClone(build)
}

/**
 * What of AWS's image of CodeBuild a build uses, in a directory of its own: the command line of AWS, and Docker's, which
 * gives containers the way to the account that they would have by their network.
 */
async function layPrograms({ account }: BuildsOptions, { id }: FakeBuild, way: string[]): Promise<string> {
  const bin = join(account.directory, 'builds', id.replace(':', '-'))
  await mkdir(bin, { recursive: true })
  const lay = async (name: string, lines: string[]) => {
    await writeFile(join(bin, name), ['#!/bin/sh', ...lines, ''].join('\n'))
    await chmod(join(bin, name), 0o755)
  }
  await lay('aws', [
    '[ "$*" = "ecr get-login-password" ] || { echo "aws $*: not modelled" >&2; exit 2; }',
    'echo "$FAKE_REGISTRY_PASSWORD"',
  ])
  await lay('docker', way)
  return bin
}

/** Docker itself, or the program of a clone in place of an image that is not there. */
async function dockerLines({ account }: BuildsOptions, { isInstalled }: BuildProject, way: object) {
  if (!isInstalled) return [`exec '${process.execPath}' '${dockerStandIn}' "$@"`]
  const options = [
    ...(await labelOptions(account.run)),
    ...Object.keys(way).flatMap((name) => ['--env', name]),
  ]
  return [
    `PATH='${process.env.PATH}'`,
    `[ "$1" = run ] && { shift; set -- run ${options.join(' ')} "$@"; }`,
    'exec docker "$@"',
  ]
}

/** All that was started for it. */
function endCommands({ child }: FakeBuild): void {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  process.kill(-child.pid, 'SIGTERM')
}

async function run(options: BuildsOptions, build: FakeBuild, input: sdk.StartBuildInput): Promise<void> {
  const { clock } = options.account
  build.currentPhase = 'PROVISIONING'
  await clock.pass(provisionMs)
  build.currentPhase = 'BUILD'
  const status = build.isStopped ? 'STOPPED' : await runCommands(options, build, input)
  build.phases = [
    {
      phaseType: 'BUILD',
      phaseStatus: status,
      ...(status === 'FAILED' && {
        contexts: [{ message: 'Error while executing command. Reason: exit status 1' }],
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

async function runCommands(
  options: BuildsOptions,
  build: FakeBuild,
  {
    buildspecOverride,
    environmentVariablesOverride: overrides = [],
    timeoutInMinutesOverride: minutes = 60,
  }: sdk.StartBuildInput,
): Promise<Settled> {
  const { account, logs, endpoint, projects, images } = options
  const project = projects[build.projectName!]!
  const way = {
    AWS_ENDPOINT_URL: endpoint(),
    AWS_ACCESS_KEY_ID: 'AKIABUILD',
    AWS_SECRET_ACCESS_KEY: 'fake',
  }
  const bin = await layPrograms(options, build, await dockerLines(options, project, way))
  // Pulled as for a task, so that this machine's Docker lets go of it with the account.
  if (project.isInstalled) await images.resolve(project.variables['RACK_BUILD_IMAGE'] ?? '')
  const env = {
    ...project.variables,
    ...Object.fromEntries(overrides.map(({ name, value }) => [name, value])),
    PATH: `${bin}:${process.env.PATH}`,
    HOME: account.directory,
    ...(process.env.DOCKER_HOST !== undefined && { DOCKER_HOST: process.env.DOCKER_HOST }),
    AWS_REGION: account.region,
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/build',
    ...(project.isInstalled ? way : { FAKE_WAY: JSON.stringify(way) }),
    FAKE_REGISTRY_PASSWORD: await options.registryPassword(),
  }
  const commands = commandsOf(buildspecOverride)
  // D: a command that fails ends its phase.
  const script = commands.map((command) => `${command} || exit 1`).join('\n')
  const child = spawn('sh', ['-c', script], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  build.child = child
  const { groupName, streamName } = build.logs!
  const append = (texts: string[]) =>
    logs.append(
      groupName!,
      streamName!,
      texts.map((text) => ({ timeMs: account.clock.now(), text })),
    )
  append(commands.map((command) => `[Container] Running command ${command}`))
  for (const stream of [child.stdout, child.stderr]) {
    const splitter = createLineSplitter()
    stream.on('data', (chunk: Buffer) => append(splitter.push(chunk)))
    stream.on('end', () => append(splitter.end()))
  }
  let isLate = false
  // What it does takes this machine's own time.
  const timer = setTimeout(() => {
    isLate = true
    endCommands(build)
  }, minutes * 60_000)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  if (isLate) return 'TIMED_OUT'
  if (build.isStopped) return 'STOPPED'
  return code === 0 ? 'SUCCEEDED' : 'FAILED'
}
