import { dockerFeatures } from '../../../src/domain/docker-features.ts'
import type { ProcessType } from '../../../src/domain/manifest.ts'
import { readManifest } from '../../../src/manifest/read-manifest.ts'

/** What the reader makes of a process of which the file says next to nothing: the defaults, from the reader itself. */
function plainProcess(): ProcessType {
  const text = 'services:\n  web:\n    image: nginx\n    ports: ["80:80"]\n'
  const source = { files: [{ path: 'compose.yaml', text }], dotenv: null, texts: {}, contents: {} }
  const [type] = readManifest(source, { environment: {}, features: dockerFeatures }).manifest?.processes ?? []
  if (!type) throw new Error('the plainest process is not read')
  return type
}

/** The table of defaults, as lines. */
export function defaultsTable(): string[] {
  const { formation, health, deployment, drainTimeoutMs, holdMs, stopGraceMs, stopSignal, restart } =
    plainProcess()
  const seconds = (ms: number) => `${ms / 1000} s`
  const rows = {
    copies: formation.count,
    CPU: `${formation.cpuUnits} units of the 1024 that are one core`,
    memory: `${formation.memoryBytes / 1024 / 1024} MiB`,
    restart: `\`${restart}\``,
    'health check': `a TCP connect to the first port, every ${seconds(health.intervalMs)}, ${seconds(health.timeoutMs)} at most`,
    'healthy after': `${health.healthyThreshold} good probe`,
    'unhealthy after': `${health.unhealthyThreshold} failed probes`,
    'rolling update': `between ${deployment.minimumPercent} % and ${deployment.maximumPercent} % of the copies`,
    draining: seconds(drainTimeoutMs),
    'requests wait': `${seconds(holdMs)}, where no copy serves and one is due`,
    'the end': `${stopSignal ?? "the image's stop signal, else SIGTERM"}, and SIGKILL after ${seconds(stopGraceMs)}`,
  }
  return [
    '| | without a word in the file |',
    '|---|---|',
    ...Object.entries(rows).map(([name, value]) => `| ${name} | ${value} |`),
    '',
  ]
}
