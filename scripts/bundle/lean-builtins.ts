import { readFile } from 'node:fs/promises'
import type { Plugin } from 'esbuild'

/**
 * An import of a Node module runs every getter of it, and some load half of Node: `node:fs` its promises with readline,
 * `node:process` its workers. Packages that the command line waits for take what they need without that.
 */
export const leanBuiltins: Plugin = {
  name: 'lean-builtins',
  setup(build) {
    build.onLoad({ filter: /node_modules\/commander\/.*\.js$/ }, async ({ path }) => ({
      contents: takeBuiltins(await readFile(path, 'utf8')),
    }))
    build.onLoad({ filter: /node_modules\/(fastify|ws)\/lib\/.*\.js$/ }, async ({ path }) => ({
      contents: deferSecure(await readFile(path, 'utf8')),
    }))
  },
}

/**
 * `import fs from 'node:fs'` as `const fs = process.getBuiltinModule('node:fs')`; the process is there already, and
 * `node:child_process`, which takes 3 ms, comes with its first use.
 */
export function takeBuiltins(source: string): string {
  return source
    .replaceAll(/^import process from ['"]node:process['"];?$/gm, '')
    .replaceAll(
      /^import (\w+) from ['"](node:child_process)['"];?$/gm,
      (_whole, name: string, id: string) => {
        return `const ${name} = new Proxy({}, { get: (_, key) => globalThis.process.getBuiltinModule('${id}')[key] });`
      },
    )
    .replaceAll(
      /^import (\w+|\{[\w\s,]+\}) from ['"](node:[\w/]+)['"];?$/gm,
      (_whole, names: string, id: string) => {
        return `const ${names} = globalThis.process.getBuiltinModule('${id}');`
      },
    )
}

/**
 * TLS and HTTP/2 take 9 MB of memory once they are loaded, and packages that could speak them ask for them at their
 * start. The daemon speaks neither: here they come with their first use.
 */
export function deferSecure(source: string): string {
  return source.replaceAll(
    /^const (https|http2|tls) = require\(['"](?:node:)?\1['"]\);?$/gm,
    (_whole, name: string) =>
      `const ${name} = new Proxy({}, { get: (_, key) => process.getBuiltinModule('node:${name}')[key] });`,
  )
}
