import type { Control } from '../../domain/control.ts'
import type { Endpoint } from '../../domain/endpoint.ts'
import type { EngineInfo } from '../../domain/engine.ts'
import type { Plan } from '../../domain/plan.ts'
import { ownHost } from '../../domain/own-host.ts'
import { isWeb } from '../../domain/port.ts'
import type { DockerClient } from './client.ts'
import { webPorts, type WebPort } from './deploy/web-ports.ts'

const answerDeadlineMs = 5000

/** Where this machine is reached from outside. */
export interface OutsideAddress {
  /** Under which apps have their names, and TCP ports are reached. */
  domain: string
  /** Where the router serves HTTP. */
  httpPort: number
  /** Where it serves the same by TLS; nowhere when absent. */
  httpsPort?: number
}

export async function aboutDocker(docker: DockerClient, control: Control): Promise<EngineInfo> {
  const request = { path: '/version', deadlineMs: answerDeadlineMs }
  const { Version } = await docker.json<{ Version: string }>(request, control)
  return { name: 'docker', version: Version }
}

/** HTTP by host name at the router's ports, the rest at ports of their own. */
export function endpointsOf(plan: Plan, outside: OutsideAddress): Endpoint[] {
  const app = plan.owner.name
  return plan.processes.flatMap(({ type, hosts, ports }) => [
    ...webPorts(ports).flatMap((port) => webEndpoints({ type, hosts }, port, outside)),
    ...ports.flatMap(({ external, protocol, isLocal }) => {
      if (external === null || isWeb(protocol)) return []
      const { domain } = outside
      const named = protocol === 'tls' ? ownHost(app, type, domain) : domain
      return [{ process: type, scheme: protocol, host: isLocal ? '127.0.0.1' : named, port: external }]
    }),
  ])
}

/** As the file has them; that http is served by TLS too goes without saying. */
function webEndpoints(
  { type, hosts }: { type: string; hosts: string[] },
  { at = ['http'], isTlsOnly }: WebPort,
  { httpPort, httpsPort = 443 }: OutsideAddress,
): Endpoint[] {
  const ways = at.filter((way) => way !== 'http' || !isTlsOnly)
  return ways.flatMap((way) =>
    hosts.map((host) => {
      if (way === 'http') return { process: type, scheme: 'http' as const, host, port: httpPort }
      return { process: type, scheme: 'https' as const, host, port: way === 'https' ? httpsPort : way }
    }),
  )
}
