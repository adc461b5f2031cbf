import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { writeArchive } from '../../scripts/package/archive.ts'
import { writeDebianPackage } from '../../scripts/package/debian-package.ts'
import { version } from '../../src/main/version.ts'

const execute = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

/** An archive and a Debian package of one version, by path. */
export interface PackagesOfVersion {
  archive: string
  debian: string
}

/** Packages of this version and of later ones, in a folder of this run's own. */
export interface Packages extends PackagesOfVersion, AsyncDisposable {
  directory: string
  /** The same under another version number; `isBroken`: its daemon ends as soon as it is started. */
  later(number: string, options?: { isBroken?: boolean }): Promise<PackagesOfVersion>
}

/** Packs what is in this clone. */
export async function makePackages(): Promise<Packages> {
  const directory = await mkdtemp(join(tmpdir(), 'packages-'))
  await execute(process.execPath, [
    join(root, 'scripts/package.ts'),
    '--arch',
    'x64',
    '--fast',
    '--output',
    directory,
  ])
  const archive = join(directory, `rack-${version}-linux-x64.tar.gz`)
  return {
    directory,
    archive,
    debian: join(directory, `rack_${version}_amd64.deb`),
    later: async (number, { isBroken = false } = {}) =>
      await renumber({ directory, archive, number, isBroken }),
    [Symbol.asyncDispose]: async () => await rm(directory, { recursive: true, force: true }),
  }
}

interface Renumbering {
  directory: string
  archive: string
  number: string
  isBroken: boolean
}

async function renumber({ directory, archive, number, isBroken }: Renumbering): Promise<PackagesOfVersion> {
  const work = join(directory, number)
  const folder = join(work, `rack-${number}`)
  await mkdir(folder, { recursive: true })
  await execute('tar', ['-xzf', archive, '--strip-components=1', '-C', folder])
  const dist = join(folder, 'dist')
  for (const name of (await readdir(dist)).filter((file) => file.endsWith('.js'))) {
    const text = await readFile(join(dist, name), 'utf8')
    await writeFile(join(dist, name), text.replaceAll(`"${version}"`, `"${number}"`))
  }
  if (isBroken) await writeFile(join(dist, 'daemon.js'), "throw new Error('this version is broken')\n")
  const made = { archive: join(directory, `${number}.tar.gz`), debian: join(directory, `${number}.deb`) }
  await writeArchive(made.archive, folder, 1)
  await writeDebianPackage(made.debian, { archive: made.archive, arch: 'x64', version: number, work })
  await rm(work, { recursive: true })
  return made
}
