import { ensureEngine, packagesForEngine } from './steps/engine.ts'
import { writeEngineSettings } from './steps/engine-settings.ts'
import { ensureImages } from './steps/images.ts'
import { ensurePackages } from './steps/packages.ts'
import { printFailure, say, SetupError } from './steps/progress.ts'
import { tryPython } from './steps/python.ts'
import { hasProgram } from './steps/shell.ts'

const demo = {
  packages: ['haproxy', 'nftables'],
  images: ['node:24-slim', 'redis:7'],
}

const test = {
  packages: [
    ...demo.packages,
    'wrk',
    'postgresql',
    'redis-server',
    'docker-compose',
    'busybox-static',
    'openssh-client',
    'openssh-server',
    'docker-registry',
    'pebble',
    'golang-go',
  ],
  images: [...demo.images, 'debian:bookworm-slim', 'busybox:1', 'postgres:15', 'nginx:1'],
}

async function setUp(): Promise<void> {
  if (process.platform !== 'linux') {
    throw new SetupError(
      'a rack runs on Linux',
      `This is ${process.platform}: use a Linux machine or a virtual one`,
    )
  }
  const wanted = process.argv.includes('--test') ? test : demo
  const hadEngine = await hasProgram('dockerd')
  await ensurePackages([...wanted.packages, ...(await packagesForEngine())])
  // Somebody else's engine is not configured.
  if (!hadEngine && (await hasProgram('dockerd'))) await writeEngineSettings()
  await ensureEngine()
  await ensureImages(wanted.images)
  if (wanted === test) await tryPython('cfn-lint')
  say('this machine is ready for a rack')
}

// Ended by a signal, it still leaves by way of `exit`, where half-done work is undone.
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143))

try {
  await setUp()
} catch (error) {
  printFailure('setup', error)
}
