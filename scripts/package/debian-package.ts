import { chmod, copyFile, cp, mkdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../steps/shell.ts'
import { architectures, type Architecture } from './node-program.ts'

const files = join(import.meta.dirname, 'files')
/** Where its versions lie on a machine. */
const home = 'usr/lib/rack'

/**
 * Packs the archive as a Debian package. Its versions are unpacked side by side when it is configured, as `rack update`
 * does it: dpkg would take the files of the old version from under its running daemon.
 */
export async function writeDebianPackage(
  path: string,
  { archive, arch, version, work }: { archive: string; arch: Architecture; version: string; work: string },
): Promise<void> {
  const tree = join(work, 'debian')
  for (const folder of ['DEBIAN', home, 'usr/bin', 'usr/share/man/man1', 'usr/share/doc/rack']) {
    await mkdir(join(tree, folder), { recursive: true })
  }
  await copyFile(archive, join(tree, home, 'rack.tar.gz'))
  await symlink('../lib/rack/current/bin/rack', join(tree, 'usr/bin/rack'))
  const folder = join(work, `rack-${version}`)
  const completions = {
    bash: 'bash-completion/completions/rack',
    zsh: 'zsh/vendor-completions/_rack',
    fish: 'fish/vendor_completions.d/rack.fish',
  }
  for (const [shell, place] of Object.entries(completions)) {
    await cp(join(folder, `share/rack.${shell}`), join(tree, 'usr/share', place), { recursive: true })
  }
  await copyFile(join(folder, 'share/rack.1'), join(tree, 'usr/share/man/man1/rack.1'))
  await run('gzip', ['-9n', join(tree, 'usr/share/man/man1/rack.1')])
  await copyFile(join(folder, 'LICENSE'), join(tree, 'usr/share/doc/rack/copyright'))
  for (const script of ['postinst', 'prerm', 'postrm']) {
    await copyFile(join(files, script), join(tree, 'DEBIAN', script))
    await chmod(join(tree, 'DEBIAN', script), 0o755)
  }
  const unpackedKib = Math.ceil((await stat(join(folder, 'bin/node'))).size / 1024) + 16 * 1024
  await writeFile(join(tree, 'DEBIAN/control'), control(version, architectures[arch], unpackedKib))
  // What is packed already gets no smaller.
  await run('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, path])
}

function control(version: string, architecture: string, installedKib: number): string {
  return `${[
    'Package: rack',
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    'Maintainer: Rack <rack@localhost>',
    'Section: admin',
    'Priority: optional',
    `Installed-Size: ${installedKib}`,
    'Depends: docker.io | docker-ce, haproxy (>= 2.6), nftables, iproute2, tar, gzip',
    'Description: run a docker-compose.yml in production, on this machine',
    ' Behind a router, with rolling deploys that drop no request, releases that can be',
    ' rolled back, and databases that apps share.',
  ].join('\n')}\n`
}
