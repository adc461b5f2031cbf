import { appendFile, chmod, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { MadeToken } from '../src/domain/token.ts'
import { freePort, installRack } from '../test/support/installed-rack.ts'
import { makeSource, webFiles } from '../test/support/source.ts'
import { passed, startSshServer } from '../test/support/ssh-server.ts'
import { ratioOf } from './interleaved.ts'
import { heading, median, ms, row } from './statistics.ts'

const usualRounds = 15

/** How long `rack ps` takes from elsewhere, beside the same by the rack's socket on its own machine. */
export async function benchRemote({ rounds = usualRounds }: { rounds?: number }): Promise<void> {
  await using laptop = await startSshServer()
  const httpsPort = await freePort()
  await using rack = await installRack(['--api-group', laptop.user, '--https-port', String(httpsPort)])
  // Others must get as far as the rack's own directory.
  await chmod(dirname(rack.directory), 0o711)
  await using source = await makeSource(webFiles('hello'))
  await rack.run('deploy', '--app', 'bench', source.path)
  const { socket } = await rack.json<{ socket: string }>('status')
  const { fingerprint } = await rack.json<{ fingerprint: string }>('certs', 'ca')
  const { token: input } = await rack.json<MadeToken>('tokens', 'create', 'laptop', '--role', 'read')
  const ssh = (file: string) => join(laptop.home, '.ssh', file)
  const key = await readFile(join(laptop.home, 'server/key.pub'), 'utf8')
  await writeFile(ssh('known_hosts'), `[127.0.0.1]:${laptop.port} ${key}`)
  // As docs/remote.md tells those who want commands to begin at once.
  const kept = [
    'Host kept',
    '  HostName 127.0.0.1',
    `  Port ${laptop.port}`,
    '  ControlMaster auto',
    `  ControlPath ${laptop.home}/.ssh/%C`,
    '  ControlPersist 1m',
  ]
  await appendFile(ssh('config'), `${kept.join('\n')}\n`)
  const ways: [name: string, ...login: string[]][] = [
    ['https', `https://localhost:${httpsPort}`, '--fingerprint', fingerprint],
    ['ssh', `ssh://rackhost${socket}`],
    ['ssh, its connection kept', `ssh://kept${socket}`],
  ]
  const names = ways.map((_way, at) => `way-${at}`)
  for (const [at, [, ...login]] of ways.entries())
    await passed(laptop.rack(['login', ...login, '--name', names[at]!, '--token-stdin'], { input }))
  const look = ['ps', '--app', 'bench']
  const commands = [
    async () => await rack.run(...look),
    ...names.map((name) => async () => await passed(laptop.rack([...look, '--rack', name]))),
  ]
  const [bySocket = [], ...others] = await timesOf(commands, rounds)
  console.log(heading)
  for (const [at, other] of others.entries()) {
    const name = `rack ps by ${ways[at]![0]} ÷ by the socket`
    console.log(row(name, ms(median(other)), ms(median(bySocket)), ratioOf(other, bySocket), ''))
  }
}

/** Of each so many, ms; they begin in turn. */
async function timesOf(commands: (() => Promise<unknown>)[], rounds: number): Promise<number[][]> {
  const times: number[][] = commands.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < commands.length; turn++) {
      const at = (round + turn) % commands.length
      const started = performance.now()
      await commands[at]!()
      times[at]!.push(performance.now() - started)
    }
  }
  return times
}
