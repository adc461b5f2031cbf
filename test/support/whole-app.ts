import { randomBytes } from 'node:crypto'
import { appOwner } from '../../src/domain/owner.ts'
import type { Plan } from '../../src/domain/plan.ts'
import { exit, mirror, serveText, shellCommand } from './behaviour.ts'
import { planOf, processPlan, servesHttp } from './plans.ts'

const small = { cpuUnits: 64, memoryBytes: 32 * 2 ** 20 }
const external = 20_000 + (randomBytes(2).readUInt16BE() % 10_000)

/** A type of the web that says its release, one at a port of its own that keeps a volume, and a job that runs once a release. */
export function wholeApp(
  { rack, image, app }: { rack: string; image: string; app: string },
  release: string,
): Plan {
  const about = { ...small, image, environment: { WORD: release } }
  const web = processPlan({
    ...about,
    command: shellCommand([serveText(8080, release)]),
    ...servesHttp(8080, [`${app}.localhost`]),
  })
  const port = { external, container: 7000, protocol: 'tcp' as const, proxy: false as const, secure: false }
  const mount = { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: true } as const
  const raw = processPlan({
    ...about,
    type: 'raw',
    command: shellCommand([mirror(7000)]),
    ports: [port],
    internalPorts: [7000],
    stopFirst: true,
    mounts: [mount],
  })
  const migrate = processPlan({ ...about, type: 'migrate', restart: 'no', command: shellCommand([exit(0)]) })
  return planOf([web, raw, migrate], { rack, owner: appOwner(app), release, volumes: ['data'] })
}
