import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rack, startRackCommand, type CommandOptions, type Said } from './command-line.ts'

export interface InstalledRack extends AsyncDisposable {
  name: string
  directory: string
  httpPort: number
  env: NodeJS.ProcessEnv
  /** Runs a command and fails the test when its exit code is not 0. */
  run(...args: string[]): Promise<string>
  /** Runs a command whatever its end. */
  attempt(args: string[], options?: Partial<CommandOptions>): Promise<Said>
  start(args: string[], options?: Partial<CommandOptions>): ReturnType<typeof startRackCommand>
  json<T>(...args: string[]): Promise<T>
}

let count = 0

interface Size {
  /** Bits of the addresses that all apps share: a /24 each. */
  poolBits?: 16 | 18
}

/** Installs a rack of this run's own, with free ports and a folder of its own; it is uninstalled when disposed. */
export async function installRack(options: string[] = [], size: Size = {}): Promise<InstalledRack> {
  const name = `e2e-${process.pid}-${count++}`
  const home = await mkdtemp(join(tmpdir(), `${name}-`))
  const directory = join(home, 'rack')
  const httpPort = await freePort()
  const env = {
    ...process.env,
    XDG_CONFIG_HOME: join(home, 'config'),
    RACK_NAME: name,
    NO_COLOR: '1',
    RACK_APP: undefined,
  } as NodeJS.ProcessEnv
  delete env.RACK_APP
  const attempt: InstalledRack['attempt'] = (args, extra) => rack(args, { env, ...extra })
  const run = async (...args: string[]) => passed(args, await attempt(args))
  const ports = ['--http-port', String(httpPort)]
  const install = ['install', '--name', name, '--dir', directory, ...ports, ...options]
  for (const [index, pool] of pools(size).entries()) {
    const args = [...install, '--pool', pool]
    const said = await attempt(args)
    // A run that was killed may have left networks on the machine.
    if (index + 1 < poolsTried && /^error: the pool .* clashes/m.test(said.stderr)) continue
    passed(args, said)
    break
  }
  return {
    name,
    directory,
    httpPort,
    env,
    run,
    attempt,
    start: (args, extra) => startRackCommand(args, { env, ...extra }),
    json: async <T>(...args: string[]) => JSON.parse(await run(...args, '--json')) as T,
    async [Symbol.asyncDispose]() {
      await attempt(['uninstall', '--yes', '--volumes'])
      await rm(home, { recursive: true, force: true })
    },
  }
}

function passed(args: string[], { code, stdout, stderr }: Said): string {
  assert.equal(code, 0, `rack ${args.join(' ')} ended with ${code}\n${stdout}\n${stderr}`)
  return stdout
}

const poolsTried = 5

/** Addresses for a rack, of which those of another run at the same time hardly begin with the same. */
function pools({ poolBits = 18 }: Size): string[] {
  const third = poolBits === 18 ? (count % 4) * 64 : 0
  return Array.from({ length: poolsTried }, (_, index) => {
    return `10.${214 + ((process.pid + index) % 20)}.${third}.0/${poolBits}`
  })
}

export async function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const server = createServer().listen(0, '127.0.0.1', () => {
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    server.close(() => resolve(port))
  })
  return promise
}
