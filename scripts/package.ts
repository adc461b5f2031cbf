import { mkdir, mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { version } from '../src/main/version.ts'
import { writeArchive } from './package/archive.ts'
import { checkPrograms } from './package/check-programs.ts'
import { writeDebianPackage } from './package/debian-package.ts'
import { architectures, isArchitecture, nodeOf } from './package/node-program.ts'
import { layOut } from './package/lay-out.ts'
import { printFailure, SetupError, step } from './steps/progress.ts'

/**
 * `npm run package [-- --arch arm64] [-- --output DIRECTORY] [-- --fast]`: what a server without Node is given: an
 * archive of one folder, and a Debian package of the same. `--fast` packs loosely, for tests.
 */
const root = join(import.meta.dirname, '..')

try {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string', default: process.arch },
      output: { type: 'string', default: join(root, 'packages') },
      fast: { type: 'boolean', default: false },
    },
  })
  const { arch } = values
  if (!isArchitecture(arch)) {
    throw new SetupError(
      `there is no package for "${arch}"`,
      `One of: --arch ${Object.keys(architectures).join(', ')}`,
    )
  }
  const output = resolve(values.output)
  await mkdir(output, { recursive: true })
  await using work = await mkdtempDisposable(join(tmpdir(), 'rack-package-'))
  const node = await step(`finding Node for ${arch}`, () => nodeOf(arch, { root, work: work.path }))
  const folder = join(work.path, `rack-${version}`)
  await step('laying out the version', () => layOut(folder, { root, node, version }))
  await step(`looking whether all of it is for ${arch}`, () => checkPrograms(folder, arch))
  const level = values.fast ? 1 : 9
  const archive = join(output, `rack-${version}-linux-${arch}.tar.gz`)
  await step(`packing ${archive}`, () => writeArchive(archive, folder, level))
  const debian = join(output, `rack_${version}_${architectures[arch]}.deb`)
  await step(`packing ${debian}`, () =>
    writeDebianPackage(debian, { archive, arch, version, work: work.path }),
  )
} catch (error) {
  printFailure('package', error)
}
