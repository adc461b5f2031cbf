import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { docker } from './engine.ts'
import { ensurePackages } from './packages.ts'
import { say, SetupError, step } from './progress.ts'
import { pipeFrom, run } from './shell.ts'

/** Every stand-in carries this label, by which `docker image ls --filter label=…` finds them all. */
const standInLabel = 'com.rack.stand-in'

const base = 'debian:bookworm-slim'
const recipes = new URL('../images/', import.meta.url).pathname
const npmVersion = '11.21.2'

/** How a stand-in is made: fills a build context (the recipe's folder is in it already), and names build arguments. */
interface Recipe {
  folder: string
  needs: string[]
  fill?: (context: string) => Promise<Record<string, string>>
}

const standIns: Record<string, Recipe> = {
  'node:24-slim': { folder: 'node', needs: [base], fill: fillNode },
  'redis:7': { folder: 'redis', needs: [base] },
  'postgres:15': { folder: 'postgres', needs: [base] },
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
  return docker
    .getImage(name)
    .inspect()
    .then(
      () => true,
      (error: { statusCode?: number }) => {
        if (error.statusCode === 404) return false
        throw error
      },
    )
}

/** Pulls an image; a registry that has not begun to answer within 15 s, or a refusal, counts as none. */
async function pull(name: string): Promise<boolean> {
  const silence = new AbortController()
  const timer = setTimeout(() => silence.abort(), 15_000)
  try {
    say(`pulling ${name} …`)
    const progress = await docker.pull(name, { abortSignal: silence.signal })
    progress.once('data', () => clearTimeout(timer))
    await finish(progress)
    say(`pulling ${name}: done`)
    return true
  } catch (error) {
    registryAnswers = false
    const reason = silence.signal.aborted ? 'no answer within 15 s' : (error as Error).message.trim()
    say(`no registry for ${name} (${reason}); packages will do`)
    return false
  } finally {
    clearTimeout(timer)
  }
}

/** Reads an engine's progress to its end; a failed pull or build says so only inside the stream. */
async function finish(progress: NodeJS.ReadableStream): Promise<void> {
  const events = await new Promise<{ error?: string; stream?: string }[]>((resolve, reject) => {
    docker.modem.followProgress(progress, (error, output) => (error ? reject(error) : resolve(output)))
  })
  const failed = events.find((event) => event.error)
  if (!failed) return
  const log = events.map((event) => event.stream ?? '').join('')
  const lastLines = log.trim().split('\n').slice(-10).join('\n    ')
  throw new SetupError(
    failed.error ?? 'failed',
    log ? `The build said:\n    ${lastLines}` : 'Type: scripts/setup',
  )
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
  const changes = `ENV PATH=${path}\nCMD ["bash"]\nLABEL ${standInLabel}=true`
  await Promise.all([docker.importImage(archive.output, { repo, tag, changes }).then(finish), archive.ended])
}

async function build(name: string, recipe: Recipe): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), 'rack-image-'))
  try {
    await cp(join(recipes, recipe.folder), context, { recursive: true })
    const buildargs = (await recipe.fill?.(context)) ?? {}
    const archive = pipeFrom('tar', ['-C', context, '-c', '.'])
    const labels = { [standInLabel]: 'true' }
    await Promise.all([
      docker.buildImage(archive.output, { t: name, buildargs, labels, forcerm: true }).then(finish),
      archive.ended,
    ])
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

async function fillBusybox(context: string): Promise<Record<string, string>> {
  await ensurePackages(['busybox-static'])
  await cp('/bin/busybox', join(context, 'busybox'))
  return {}
}
