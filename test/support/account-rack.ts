import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { changeRacks, withRack } from '../../src/cli/racks-file.ts'
import { stopDaemon } from '../../src/host/daemon.ts'
import type { AwsInstallation } from '../../src/host/installation.ts'
import { makeInstallation } from '../../src/host/make-installation.ts'
import { unixUrl } from '../../src/lib/unix-url.ts'
import { startFakeAws, type FakeAws } from '../fake-aws/start-fake-aws.ts'
import { rack as typeRack, startRackCommand } from './command-line.ts'
import { controlFor } from './docker-rack.ts'
import type { InstalledRack } from './installed-rack.ts'

/** A rack in a fake account, whose daemon runs on this machine. */
export interface AccountRack extends InstalledRack {
  account: FakeAws
}

const factor = 100

/** Makes an account with a rack of this run's own in it, and starts its daemon by `rack start`. */
export async function startAccountRack(): Promise<AccountRack> {
  const name = `t-${randomBytes(4).toString('hex')}`
  await using undo = new AsyncDisposableStack()
  const home = await mkdtemp(join(tmpdir(), `rack-account-${name}-`))
  undo.defer(() => rm(home, { recursive: true, force: true }))
  const account = await startFakeAws({ rack: name, factor, listenOn: (port) => (port === 80 ? 0 : port) })
  undo.defer(() => account.close())
  const directory = join(home, 'rack')
  const installation: AwsInstallation = {
    engine: 'aws',
    name,
    directory,
    socket: { path: join(directory, 'api.sock'), group: null },
    domain: 'localhost',
    total: { cpuUnits: 16 * 1024, memoryBytes: 16 * 2 ** 30 },
    places: account.places,
    created: new Date().toISOString(),
  }
  const token = await makeInstallation(installation, {})
  const { RACK_APP: _app, ...around } = process.env
  const { endpoint, credentials } = account.access()
  const env: NodeJS.ProcessEnv = {
    ...around,
    XDG_CONFIG_HOME: join(home, 'config'),
    RACK_NAME: name,
    NO_COLOR: '1',
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: credentials!.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials!.secretAccessKey,
    // Asked as often as it would be by its own time, the account had nothing else to do.
    RACK_AWS_CLOCK: String(Math.max(1, factor / 10)),
  }
  const known = { name, url: unixUrl(installation.socket.path), token, directory }
  await changeRacks(env, (racks) => withRack(racks, known))
  const attempt: InstalledRack['attempt'] = (args, extra) => typeRack(args, { env, ...extra })
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await attempt(args)
    assert.equal(code, 0, `rack ${args.join(' ')} ended with ${code}\n${stdout}\n${stderr}`)
    return stdout
  }
  undo.defer(async () => void (await stopDaemon(directory, controlFor(30_000))))
  await run('start')
  const stack = undo.move()
  return {
    name,
    directory,
    account,
    httpPort: account.loopbackPort('web', 80),
    env,
    run,
    attempt,
    start: (args, extra) => startRackCommand(args, { env, ...extra }),
    json: async <T>(...args: string[]) => JSON.parse(await run(...args, '--json')) as T,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
