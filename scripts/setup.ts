import { ensureEngine, packagesForEngine } from './steps/engine.ts'
import { ensureImages } from './steps/images.ts'
import { ensurePackages } from './steps/packages.ts'
import { printFailure, say, SetupError } from './steps/progress.ts'

const demo = {
  packages: ['haproxy'],
  images: ['node:24-slim', 'redis:7'],
}

const test = {
  packages: [...demo.packages, 'wrk', 'postgresql', 'redis-server', 'docker-compose', 'busybox-static'],
  images: [...demo.images, 'debian:bookworm-slim', 'busybox:1', 'postgres:15'],
}

async function setUp(): Promise<void> {
  if (process.platform !== 'linux') {
    throw new SetupError(
      'a rack runs on Linux',
      `This is ${process.platform}: use a Linux machine or a virtual one`,
    )
  }
  const wanted = process.argv.includes('--test') ? test : demo
  await ensurePackages([...wanted.packages, ...(await packagesForEngine())])
  await ensureEngine()
  await ensureImages(wanted.images)
  say('this machine is ready for a rack')
}

// Ended by a signal, it still leaves by way of `exit`, where half-done work is undone.
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143))

try {
  await setUp()
} catch (error) {
  printFailure('setup', error)
}
