import { chmod, copyFile, cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toolFile } from '../../src/account/tool-image.ts'
import { bundle } from '../bundle/bundle.ts'
import { compileTool } from '../bundle/compile-tool.ts'
import { describe } from '../bundle/describe.ts'
import { run } from '../steps/shell.ts'
import { manPage } from './man-page.ts'
import type { NodeProgram } from './node-program.ts'

/** Makes the folder of one version, which runs from wherever it lies: programs, Node, man page, completion. */
export async function layOut(
  folder: string,
  { root, node, version }: { root: string; node: NodeProgram; version: string },
): Promise<void> {
  const dist = join(folder, 'dist')
  for (const path of ['bin', 'dist', 'share']) await mkdir(join(folder, path), { recursive: true })
  await cp(join(root, 'bin'), join(folder, 'bin'), { recursive: true, verbatimSymlinks: true })
  await copyFile(node.program, join(folder, 'bin/node'))
  await chmod(join(folder, 'bin/node'), 0o755)
  await bundle(root, dist)
  await describe(dist)
  await compileTool(join(dist, toolFile))
  await copyFile(join(import.meta.dirname, 'files/install'), join(folder, 'install'))
  await copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  await copyFile(node.license, join(folder, 'LICENSE.node'))
  // Modules here are ES modules.
  await writeFile(
    join(folder, 'package.json'),
    `${JSON.stringify({ name: 'rack', version, type: 'module' })}\n`,
  )
  await writeFile(join(folder, 'share/rack.1'), manPage(version))
  // The command line itself says it, by the Node of this machine: that of the folder may be another architecture's.
  const start = join(folder, 'bin/start.mjs')
  for (const shell of ['bash', 'zsh', 'fish']) {
    await writeFile(
      join(folder, `share/rack.${shell}`),
      await run(process.execPath, [start, 'cli', 'completion', shell]),
    )
  }
}
