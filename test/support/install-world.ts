import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileTool } from '../../scripts/bundle/compile-tool.ts'
import { toolFile } from '../../src/account/tool-image.ts'
import { rack as type, type Said } from './command-line.ts'
import { openEmptyAccount } from './installation.ts'

const dist = join(import.meta.dirname, '../../dist')
const factor = 100
const region = 'eu-test-1'

/** An account with nothing in it, and machines on which `rack install aws` is typed. */
export async function openInstallWorld() {
  await compileTool(join(dist, toolFile))
  const home = await mkdtemp(join(tmpdir(), 'rack-install-'))
  const account = await openEmptyAccount({ factor })
  const { rack: name, aws, held } = account
  /** Of a machine, which knows its own racks. */
  const environment = (machine: string, accessKeyId: string): NodeJS.ProcessEnv => ({
    PATH: process.env.PATH,
    ...(process.env.DOCKER_HOST !== undefined && { DOCKER_HOST: process.env.DOCKER_HOST }),
    NO_COLOR: '1',
    HOME: join(home, machine),
    XDG_CONFIG_HOME: join(home, machine, 'config'),
    XDG_DATA_HOME: join(home, machine, 'data'),
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: 'fake',
    AWS_EC2_METADATA_DISABLED: 'true',
    RACK_AWS_CLOCK: String(factor),
  })
  const env = environment('first', 'ANNA')
  const run = async (args: string[], from = env): Promise<Said> => await type(args, { env: from })
  const directory = join(home, 'rack')
  const plan = ['install', 'aws', '--region', region, '--name', name, '--dir', directory]
  return {
    /** Called by nobody who installs. */
    clients: account.account.clients,
    name,
    region,
    home,
    directory,
    aws,
    held,
    env,
    environment,
    run,
    /** What is typed to see what it would make. */
    plan: [...plan, '--daemon', 'here', '--plan'],
    /** What is typed to have it. */
    install: [...plan, '--daemon', 'here', '--domain', 'localhost', '--yes'],
    passes: async (args: string[]): Promise<Said> => {
      const said = await run(args)
      assert.equal(said.code, 0, `rack ${args.join(' ')}\n${said.stdout}\n${said.stderr}`)
      return said
    },
    async close() {
      await run(['uninstall', '--rack', name, '--yes', '--volumes'])
      await account.close()
      await rm(home, { recursive: true, force: true })
      assert.deepEqual(aws.troubles, [])
      assert.deepEqual(aws.calls.refused, [])
    },
  }
}
