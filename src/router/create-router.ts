import { RackError } from '../domain/error.ts'
import { isIpRange } from '../lib/ip-range.ts'
import { mostOpenFiles } from '../lib/open-files.ts'
import { createHaproxyProcess } from './haproxy-process.ts'
import { HaproxyRouter } from './haproxy-router.ts'
import { createRouteFiles } from './route-files.ts'
import type { Router, RouterOptions } from './router.ts'
import { createHaproxyFinder, hasLua } from './haproxy-program.ts'
import { RunningRouter } from './running-router.ts'
import { createRuntimeApi } from './runtime-api.ts'
import { createShownCertificates } from './tls/shown-certificates.ts'
import { connectionsFor, leastConnections, sharesOf, usualPatience } from './shares.ts'

/**
 * The router of one directory; one object per directory at a time may change it.
 *
 * @throws invalid for a directory in which sockets cannot lie, a proxy that is no address, or too few connections
 */
export function createRouter(options: RouterOptions): Router {
  const { directory, program = 'haproxy', runAs, hardStopAfterMs = 6 * 3_600_000 } = options
  const { trustedProxies = [], patience } = options
  checkDirectory(directory)
  checkProxies(trustedProxies)
  const connections = options.connections ?? connectionsFor(mostOpenFiles())
  checkConnections(connections)
  const shares = sharesOf(connections)
  let canHold: boolean | null = null
  const find = createHaproxyFinder(directory)
  const runtime = createRuntimeApi(directory, async () => (await find()) !== null)
  const haproxy = createHaproxyProcess({ directory, program, runtime })
  const files = createRouteFiles({
    directory,
    runAs,
    hardStopAfterMs,
    trustedProxies,
    api: options.api,
    shares,
    patience: { ...usualPatience, ...patience },
    shown:
      options.https === undefined
        ? null
        : createShownCertificates({
            directory,
            source: options.https.certificates,
            challenges: options.https.challenges ?? { open: () => [] },
            ownHost: options.api?.host,
            now: () => new Date(),
          }),
    canHold: async () => (canHold ??= await hasLua(program)),
    check: (path, control) => haproxy.check(path, control),
  })
  return new HaproxyRouter({ options, runtime, haproxy, running: new RunningRouter(runtime, shares), files })
}

function checkDirectory(directory: string): void {
  // The socket's temporary name is a little longer than its own, and the system allows 107 bytes.
  if (/^\/[\w@%+=:.,/-]*$/.test(directory) && directory.length <= 80) return
  throw new RackError('invalid', `the router cannot live in ${directory}`, {
    hint: 'Choose a directory of at most 80 plain characters, without spaces: --dir DIRECTORY',
  })
}

function checkConnections(connections: number): void {
  if (Number.isInteger(connections) && connections >= leastConnections && connections <= 1_000_000) return
  throw new RackError('invalid', `the router cannot hold ${connections} connections`, {
    hint: `It takes a whole number from ${leastConnections} to 1000000.`,
  })
}

function checkProxies(trustedProxies: readonly string[]): void {
  const stranger = trustedProxies.find((proxy) => !isIpRange(proxy))
  if (stranger === undefined) return
  throw new RackError('invalid', `"${stranger}" is no address or network of a trusted proxy`, {
    hint: 'They look like 10.0.0.7, 10.0.0.0/8 or 2001:db8::/32',
  })
}
