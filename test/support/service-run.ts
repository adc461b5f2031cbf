import { noSettings } from '../../src/domain/build.ts'
import type { ServiceRun } from '../../src/domain/service.ts'

/** How a service runs that the in-memory engine has, with a volume; tests say only what they are about. */
export function serviceRun(says: Partial<ServiceRun> = {}): ServiceRun {
  return {
    image: 'server',
    built: {
      reference: 'memory/server',
      digest: `sha256:${'1'.repeat(64)}`,
      exposed: [],
      link: {},
      user: null,
      healthcheck: null,
      volumes: [],
      ...noSettings,
    },
    scheme: 'tcp',
    port: 9000,
    cpuUnits: 128,
    memoryBytes: 64 * 2 ** 20,
    stopGraceMs: 1000,
    environment: {},
    command: ['serve'],
    dataPaths: ['/data'],
    says: null,
    ...says,
  }
}
