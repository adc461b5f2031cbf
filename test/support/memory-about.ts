import type { Endpoint } from '../../src/domain/endpoint.ts'
import type { EngineInfo } from '../../src/domain/engine.ts'
import type { Plan } from '../../src/domain/plan.ts'

/** What the in-memory engine says of itself. */
export const aboutMemory: EngineInfo = { name: 'memory', version: '1' }

/** Nothing listens there: addresses as a machine with a router on 8080 has them. */
export function memoryEndpoints(plan: Plan): Endpoint[] {
  const endpoints: Endpoint[] = []
  for (const { type, hosts, ports } of plan.processes) {
    for (const host of hosts) endpoints.push({ process: type, scheme: 'http', host, port: 8080 })
    for (const { external, protocol } of ports) {
      if (external === null || protocol === 'http') continue
      endpoints.push({ process: type, scheme: protocol, host: 'localhost', port: external })
    }
  }
  return endpoints
}
