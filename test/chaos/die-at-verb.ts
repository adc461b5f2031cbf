/** Loaded before a daemon (`node --import`): its Docker runtime is the one of `dying-runtime.ts`. */
import { registerHooks } from 'node:module'

const runtime = new URL('../../src/engines/docker/deploy/docker-runtime.ts', import.meta.url).href
const dying = new URL('./dying-runtime.ts', import.meta.url).href

registerHooks({
  resolve(specifier, context, nextResolve) {
    const found = nextResolve(specifier, context)
    return found.url === runtime && context.parentURL !== dying ? { ...found, url: dying } : found
  },
})
