import { RackError } from '../domain/error.ts'
import { writeFileAtomically } from '../lib/atomic-file.ts'
import { cidrsOverlap, formatCidr, parseCidr } from '../lib/cidr.ts'
import { readTextIfThere } from '../lib/files.ts'
import { readRoutes } from '../lib/routes.ts'
import { installationPaths } from './installation.ts'
import { changeRoute, tryRoute } from './ip-route.ts'

type Signalled = { signal: AbortSignal }

/** In the main table, where it is seen by who looks for a range that is free. */
const routeOf = (cidr: string) => ['local', cidr, 'dev', 'lo', 'table', 'main']

/** Addresses of this machine's own that no interface has: the router listens there for services of other racks. */
export interface WayRange {
  /** From which a rack takes its range: the second half of what is kept for tests of networks (RFC 2544). */
  pool: { cidr: string; subnetBits: number }
  /** Looks at the machine; tells which ranges nobody has. */
  lookForFree(): Promise<(cidr: string) => boolean>
  /** Has the kernel take what is for a range as this machine's own. Safe to repeat. @throws host-failed; unsupported without root */
  open(cidr: string, control: Signalled): Promise<void>
}

/** @param directory of the installation: keeps which range is open, for its end */
export function createWayRange(directory: string): WayRange {
  return {
    pool: { cidr: '198.19.0.0/16', subnetBits: 24 },
    async lookForFree() {
      const routes = await readRoutes()
      return (cidr) => !routes.some((route) => cidrsOverlap(route, parseCidr(cidr)!))
    },
    async open(cidr, { signal }) {
      if (process.geteuid?.() !== 0) {
        throw new RackError(
          'unsupported',
          'a rack that does not run as root reaches no service of another rack',
          {
            hint: 'Install the rack as root: sudo rack install',
          },
        )
      }
      if ((await readRoutes()).map(formatCidr).includes(cidr)) return
      await writeFileAtomically(installationPaths(directory).ways, `${cidr}\n`)
      try {
        await changeRoute(['replace', ...routeOf(cidr)], { signal })
      } catch (cause) {
        if (signal.aborted) throw cause
        throw new RackError('host-failed', `this machine takes no route for ${cidr}: ${lineOf(cause)}`, {
          hint: 'Install iproute2, for example: apt-get install iproute2',
          cause,
        })
      }
    },
  }
}

/** Takes back what `open` has made for a rack that is no more. Safe to repeat. */
export async function closeWayRange(directory: string, control: Signalled): Promise<void> {
  const cidr = (await readTextIfThere(installationPaths(directory).ways))?.trim()
  if (!cidr || !parseCidr(cidr)) return
  // It may have gone with the machine's last boot.
  await tryRoute(['delete', ...routeOf(cidr)], control)
}

function lineOf(cause: unknown): string {
  const { stderr = '', message } = cause as { stderr?: string; message: string }
  return stderr.trim().split('\n')[0] || message
}
