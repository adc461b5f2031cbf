import type { Control } from '../domain/control.ts'
import type { UnservedPort } from '../domain/endpoint.ts'
import { endHaproxys, findHaproxy } from '../router/haproxy-program.ts'
import { findUnservedPorts } from '../router/route-files.ts'
import { installationPaths, type MachineInstallation } from './installation.ts'

const stopDeadlineMs = 10_000

/** The process id of the rack's router, or null; also when the daemon is down. */
export function findRouter(directory: string): Promise<number | null> {
  return findHaproxy(installationPaths(directory).router)
}

/** Ports of apps, and of the rack itself, that another program has; also when the daemon is down. */
export function findUnserved({ directory, http, https }: MachineInstallation): Promise<UnservedPort[]> {
  const listening = { httpBind: http.bind, httpPort: http.port, ...(https && { httpsPort: https.port }) }
  return findUnservedPorts(installationPaths(directory).router, listening)
}

/** Ends the router and its workers, their connections too. False when none ran. */
export function stopRouter(directory: string, control: Control): Promise<boolean> {
  return endHaproxys(installationPaths(directory).router, { deadlineMs: stopDeadlineMs }, control)
}
