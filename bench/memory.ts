import { setTimeout as delay } from 'node:timers/promises'
import { installRack } from '../test/support/installed-rack.ts'
import { makeSource } from '../test/support/source.ts'
import { residentMebibytes } from './resident-memory.ts'

const apps = 50
const settleMs = 10_000

/** (d) The daemon's resident memory, idle, with one app and with fifty. */
export async function benchMemory(): Promise<void> {
  await using rack = await installRack(['--cpu', '4096', '--memory', '4096M'])
  await using source = await makeSource({
    'docker-compose.yml': `services:
  web:
    image: busybox:1
    command: httpd -f -p 3000
    ports: ["80:3000"]
    stop_signal: SIGKILL
    deploy:
      resources: { limits: { memory: 16M } }
    cpu_shares: 8
`,
  })
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  for (let count = 1; count <= apps; count++) {
    await rack.run('deploy', '--app', `bench-${count}`, source.path)
    if (count !== 1 && count !== apps) continue
    await delay(settleMs)
    console.log(
      `daemon RSS with ${count} app${count === 1 ? '' : 's'}: ${await residentMebibytes(daemon.pid)} MiB (aim ≤ 80)`,
    )
  }
}
