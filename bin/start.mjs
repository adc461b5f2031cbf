// Plain JavaScript that any Node can read, so that one too old says so instead of failing to parse the program.
import module from 'node:module'
import v8 from 'node:v8'
import { fileURLToPath } from 'node:url'

const [major] = process.versions.node.split('.')
if (Number(major) < 24) {
  console.error(`rack needs Node 24 or newer, and found ${process.version}. Type: npm ci`)
  process.exit(1)
}
// Beside the code, not in the default /tmp: whoever owns that folder could give us theirs to run.
module.enableCompileCache(fileURLToPath(new URL('../.cache/compile', import.meta.url)))
const [program] = process.argv.splice(2, 1)
// A daemon that is idle most of its life: without this the start alone leaves 15 MB of room for young objects.
if (program === 'daemon') v8.setFlagsFromString('--semi-space-growth-factor=1')
await import(`../dist/${program}.js`)
