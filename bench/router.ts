import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installRack } from '../test/support/installed-rack.ts'
import { makeSource, webFiles } from '../test/support/source.ts'
import { bareConfig, startHaproxy } from './bare-haproxy.ts'
import { heading, row } from './statistics.ts'
import { compareRates, requestsPerSecond } from './wrk.ts'

const rounds = 21
const seconds = 1
const host = 'bench.localhost'

/**
 * (b) Requests a second through the router, to the process itself, and through a bare HAProxy before it; and through two
 * with the router's configuration, one of them without the shares.
 */
export async function benchRouter(): Promise<void> {
  await using rack = await installRack()
  const files = webFiles('hello')
  await using source = await makeSource({
    ...files,
    'docker-compose.yml': files['docker-compose.yml'].replace('replicas: 2', 'replicas: 1'),
  })
  await rack.run('deploy', '--app', 'bench', source.path)
  const [web] = await rack.json<{ address: string }[]>('ps', '--app', 'bench')
  if (!web) throw new Error('the app has no process')
  await using bare = await startHaproxy((port) => bareConfig(port, web.address))
  const own = await readFile(join(rack.directory, 'router/haproxy.cfg'), 'utf8')
  // Both are children of this program, so the system shares its processors out to them in the same way.
  await using shared = await startHaproxy((port) => onPort(own, port))
  await using unshared = await startHaproxy((port) => withoutShares(onPort(own, port)))
  const targets = [
    `http://127.0.0.1:${rack.httpPort}/`,
    `http://${web.address}:3000/`,
    `http://127.0.0.1:${bare.port}/`,
    `http://127.0.0.1:${shared.port}/`,
    `http://127.0.0.1:${unshared.port}/`,
  ]
  const rates: number[][] = targets.map(() => [])
  for (let round = 0; round < rounds; round++) {
    // Each goes first in turn: the process is slower until it is warm, and a busy machine drifts.
    for (let turn = 0; turn < targets.length; turn++) {
      const index = (round + turn) % targets.length
      rates[index]?.push(await requestsPerSecond(targets[index]!, { host, seconds }))
    }
  }
  const [router = [], direct = [], haproxy = [], withShares = [], without = []] = rates
  console.log(heading)
  console.log(compareRates('requests/s ÷ direct to the process', router, direct, '≥ 0.6'))
  console.log(compareRates('requests/s ÷ bare HAProxy', router, haproxy, '≥ 0.95'))
  console.log(compareRates('requests/s with the shares ÷ without', withShares, without, '≥ 0.97'))
  // Of HAProxy alone; what else the machine does counts less here than in a rate.
  const sent = (each: number[]) => each.reduce((sum, rate) => sum + rate * seconds, 0)
  const ours = (await shared.processorUs()) / sent(withShares)
  const theirs = (await unshared.processorUs()) / sent(without)
  const [text, other] = [ours, theirs].map((us) => `${us.toFixed(1)} µs`)
  console.log(row('processor time a request, the same', text!, other!, ours / theirs, '≤ 1.06'))
}

/** The router's configuration on another port, for a HAProxy without a master. */
function onPort(config: string, port: number): string {
  const lines = config.split('\n').filter((line) => !/^  (stats socket|bind unix)/.test(line))
  return lines.map((line) => line.replace(/^  bind .*/, `  bind 127.0.0.1:${port}`)).join('\n')
}

/** The same without what counts and bounds. */
function withoutShares(config: string): string {
  const lines = config
    .split('\n')
    .filter((line) => !/stick-table|track-sc|sc\d_conn_cur|^  maxconn/.test(line))
    .map((line) => line.replace(/ maxconn \d+$/, ''))
  return lines.join('\n')
}
