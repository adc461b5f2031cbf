import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { build, type BuildOptions, type OutputFile } from 'esbuild'
import { lazyPackages } from './lazy-packages.ts'
import { leanBuiltins } from './lean-builtins.ts'

/** The programs; each becomes `dist/NAME.js`, and whatever they import lazily a chunk of its own. */
const entries: Record<string, string> = {
  cli: 'src/main/cli.ts',
  daemon: 'src/main/daemon.ts',
  'build-in-account': 'src/main/build-in-account.ts',
}

const options: BuildOptions = {
  bundle: true,
  format: 'esm',
  splitting: true,
  platform: 'node',
  target: 'node24',
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  logLevel: 'warning',
  entryNames: '[name]',
  chunkNames: 'chunk-[name]-[hash]',
  write: false,
  // Packages that are still CommonJS ask for Node's modules by `require`, which an ES module does not have.
  banner: {
    js: 'const require = (id) => process.getBuiltinModule(id) ?? process.getBuiltinModule("node:module").createRequire(import.meta.url)(id);',
  },
  define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
  plugins: [lazyPackages, leanBuiltins],
  // An optional native part: pg catches its absence.
  external: ['pg-native'],
}

/**
 * Bundles the programs into a directory and returns the names of the files, entries last.
 *
 * @throws Error when an entry is missing, or when the code does not bundle
 */
export async function bundle(root: string, dist: string): Promise<string[]> {
  await Promise.all(Object.values(entries).map((entry) => needEntry(root, entry)))
  const { outputFiles = [] } = await build({
    ...options,
    absWorkingDir: root,
    outdir: dist,
    entryPoints: Object.entries(entries).map(([out, entry]) => ({ in: entry, out })),
  })
  await mkdir(dist, { recursive: true })
  // Chunks first: whoever starts a program in the middle of this finds all that its entry names.
  const isEntry = ({ path }: OutputFile) => Object.hasOwn(entries, basename(path).replace(/\..*/, ''))
  const ordered = [...outputFiles.filter((file) => !isEntry(file)), ...outputFiles.filter(isEntry)]
  for (const { path, contents } of ordered) {
    await writeFile(`${path}.${process.pid}`, contents)
    await rename(`${path}.${process.pid}`, path)
  }
  return ordered.map(({ path }) => basename(path))
}

/** Removes what neither this build nor the one before made; a daemon of that one may still load its chunks. */
export async function removeOld(dist: string, keep: string[], present: string[]): Promise<void> {
  const kept = new Set(keep)
  await Promise.all(
    present
      .filter((name) => name.startsWith('chunk-') && !kept.has(name))
      .map((name) => rm(join(dist, name), { force: true })),
  )
}

async function needEntry(root: string, entry: string): Promise<void> {
  try {
    await access(join(root, entry))
  } catch (error) {
    throw new Error(`nothing to build from: ${entry} is missing`, { cause: error })
  }
}
