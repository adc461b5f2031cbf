import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Plugin } from 'esbuild'
import { isMissing } from '../../src/lib/missing.ts'

/**
 * Refuses `await import('package')` in our code when the package is CommonJS and more than its default export is
 * taken: in the bundle it arrives with that alone, though the same line works unbundled.
 */
export const lazyPackages: Plugin = {
  name: 'lazy-packages',
  setup(build) {
    const isChecked = Symbol('resolved once already')
    build.onResolve({ filter: /^[^./]/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
      const isOurs = kind === 'dynamic-import' && !importer.includes('node_modules')
      if (!isOurs || pluginData === isChecked || path.startsWith('node:')) return null
      const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: isChecked })
      if (found.external || found.errors.length > 0 || isModule(found.path)) return found
      if (takesDefaultOnly(readFileSync(importer, 'utf8'), path)) return found
      const text = `${path} is CommonJS, which loses its named exports when imported lazily`
      return {
        errors: [
          { text, notes: [{ text: `Put "import … from '${path}'" into a file, and import that file.` }] },
        ],
      }
    })
  },
}

/** Whether each lazy import of the package reads `{ default: Name } = await import(…)` or `(await import(…)).default`. */
function takesDefaultOnly(source: string, path: string): boolean {
  const call = `await import('${path}')`
  const before = String.raw`\{\s*default: \w+\s*\} = ${RegExp.escape(call)}`
  const after = String.raw`\(${RegExp.escape(call)}\)\.default\b`
  const good = source.match(new RegExp(`${before}|${after}`, 'g')) ?? []
  return good.length === source.split(`import('${path}')`).length - 1
}

function isModule(file: string): boolean {
  if (file.endsWith('.mjs')) return true
  if (file.endsWith('.cjs')) return false
  for (let folder = dirname(file); folder.includes('node_modules'); folder = dirname(folder)) {
    const type = packageType(join(folder, 'package.json'))
    if (type !== undefined) return type === 'module'
  }
  return false
}

function packageType(file: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { type?: string }).type
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
