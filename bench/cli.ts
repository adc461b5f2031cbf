import { spawnSync } from 'node:child_process'
import { installRack } from '../test/support/installed-rack.ts'
import { makeSource, webFiles } from '../test/support/source.ts'
import { heading, median, ms, row } from './statistics.ts'

const rounds = 15

/** (c) How long the commands take, beside a bare Node and the `docker` client; every round runs each once. */
export async function benchCli(): Promise<void> {
  await using rack = await installRack()
  await using source = await makeSource(webFiles('hello'))
  await rack.run('deploy', '--app', 'bench', source.path)
  const commands: [string, string, string[]][] = [
    ['node', process.execPath, ['-e', '0']],
    ['docker ps', 'docker', ['ps']],
    ['rack version', 'bin/rack', ['version']],
    ['rack ps', 'bin/rack', ['ps', '--app', 'bench']],
  ]
  const times = new Map<string, number[]>(commands.map(([name]) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, program, args] of commands) {
      const started = performance.now()
      const { status, stderr } = spawnSync(program, args, { env: rack.env })
      times.get(name)?.push(performance.now() - started)
      if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr.toString()}`)
    }
  }
  const of = (name: string) => median(times.get(name) ?? [])
  console.log(heading)
  for (const name of ['rack version', 'rack ps']) {
    const extra = of(name) - of('node')
    console.log(
      row(
        `${name} ÷ bare node (+${ms(extra)})`,
        ms(of(name)),
        ms(of('node')),
        of(name) / of('node'),
        '≤ +45 ms',
      ),
    )
  }
  console.log(
    row('rack ps ÷ docker ps', ms(of('rack ps')), ms(of('docker ps')), of('rack ps') / of('docker ps'), ''),
  )
}
