import { installRack } from '../test/support/installed-rack.ts'
import { ask, startLoad } from '../test/support/load.ts'
import { makeSource } from '../test/support/source.ts'
import { heading, median, ms, row } from './statistics.ts'

const deploys = 5
const startsInMs = 3000

interface Receipt {
  failed: number
  held: number
}

/**
 * A site whose one copy writes a volume and needs three seconds to start, deployed again and again under load: how many
 * requests fail, and how long the one that waits longest takes, compared with the start that it waits for.
 */
export async function benchHeld(): Promise<void> {
  await using rack = await installRack(['--cpu', '2048', '--memory', '1024M'])
  await using source = await makeSource(siteOf('first'))
  const deploy = async () => {
    const lines = (await rack.run('deploy', '--app', 'held', source.path, '--json')).trim().split('\n')
    return (JSON.parse(lines.at(-1) ?? '') as { result: { receipt: Receipt } }).result.receipt
  }
  await deploy()
  const place = { port: rack.httpPort, host: 'held.localhost' }
  const longest: number[] = []
  const sum = { failed: 0, held: 0, refused: 0 }
  for (let round = 0; round < deploys; round++) {
    await source.write(siteOf(`round-${round}`))
    const load = startLoad({ ...place, connections: 8, restMs: 10 })
    const { failed, held } = await deploy()
    const { failures, longestMs } = await load.stop()
    const { body } = await ask(place)
    if (body.trim() !== `round-${round}`) throw new Error(`it answers ${body}`)
    longest.push(longestMs)
    sum.failed += failed
    sum.held += held
    sum.refused += Object.values(failures).reduce((count, each) => count + each, 0)
  }
  console.log(heading)
  console.log(
    row(`failed requests in ${deploys} deploys`, String(sum.refused), String(sum.failed), null, '0'),
  )
  console.log(row('requests that waited', String(sum.held), '', null, ''))
  const wait = median(longest)
  console.log(
    row("longest wait (median) ÷ the copy's start", ms(wait), ms(startsInMs), wait / startsInMs, '≤ 1.5'),
  )
}

function siteOf(word: string): Record<string, string> {
  const script = `echo ${word} > /srv/index.html; sleep ${startsInMs / 1000}; exec httpd -f -p 8080 -h /srv`
  return {
    'docker-compose.yml': `services:
  web:
    image: busybox:1
    init: true
    command: sh -c 'mkdir /srv; ${script}'
    ports: ["80:8080"]
    volumes: ["data:/data"]
volumes: { data: {} }
`,
  }
}
