import { execFile } from 'node:child_process'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startDockerRegistry } from '../support/docker-registry.ts'
import { openInstallWorld } from '../support/install-world.ts'
import { domain, type Stage } from './stage.ts'

const docker = promisify(execFile)

/** A fake AWS account with a certificate for the domain, and a machine beside it on which a rack is installed. */
export async function openAccount(): Promise<Stage> {
  await using undo = new AsyncDisposableStack()
  const directory = undo.use(await mkdtempDisposable(join(tmpdir(), 'rack-registry-')))
  const registry = undo.use(await startDockerRegistry({ directory: directory.path, ready: 200 }))
  const world = await openInstallWorld()
  undo.defer(() => world.close())
  const { aws, name, plan, install, run, held } = world
  const certificate = await aws.certificates.add([domain, `*.${domain}`])
  const stack = undo.move()
  return {
    async image(local) {
      const there = `${registry.host}/${local}`
      await docker('docker', ['tag', local, there])
      stack.defer(async () => void (await docker('docker', ['rmi', there])))
      await docker('docker', ['push', there])
      return there
    },
    service: (image) => ['services', 'create', 'image', '--image', image, '--port', '6379', '--name', 'main'],
    plan: { words: plan, says: /^an estimate: list prices of/m },
    install: async () => await run([...install, '--domain', domain, '--certificate', certificate]),
    uninstall: ['uninstall', '--rack', name, '--yes', '--volumes'],
    type: async (words) => await run(words),
    door: async () => ({
      http: aws.loopbackPort('web', 80),
      https: aws.loopbackPort('web', 443),
      ca: aws.certificates.authority,
    }),
    // The balancer sends there, and keeps the method.
    plainStatus: 301,
    left: held,
    // The account takes it away, in thirty days.
    stays: ['AWS::KMS::Key'],
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
