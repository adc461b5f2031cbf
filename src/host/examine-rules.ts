import { RackError } from '../domain/error.ts'
import type { Finding } from './finding.ts'
import { createFirewall } from './firewall.ts'
import type { MachineInstallation } from './installation.ts'
import { createNameTable } from './name-table.ts'

/** A rack whose policy opens it is told so too: its processes have what the machine has at its cloud. */
export async function examineFirewall(installation: MachineInstallation): Promise<Finding> {
  const check = 'metadata'
  const open = 'processes reach 169.254.169.254, where a cloud gives out the credentials of this machine'
  try {
    if (await createFirewall(installation).isClosed({ signal: AbortSignal.timeout(10_000) })) {
      return { check, status: 'good', detail: 'processes are kept from 169.254.169.254' }
    }
    return { check, status: 'warning', detail: open, fix: 'rack start; rack policy set --deny-metadata' }
  } catch (error) {
    if (!(error instanceof RackError)) throw error
    return {
      check,
      status: 'warning',
      detail: `${open}: ${error.message}`,
      ...(error.hint && { fix: error.hint }),
    }
  }
}

/** Without rules of its own a rack gives names to copies as Docker does. */
export async function examineNames(installation: MachineInstallation): Promise<Finding> {
  const check = 'names'
  const lack =
    'inside an app, whoever looked up the name of a process once must look it up again after a deploy'
  try {
    if (await createNameTable(installation).isThere({ signal: AbortSignal.timeout(10_000) })) {
      return {
        check,
        status: 'good',
        detail: 'the name of a process is one address for as long as its app lives',
      }
    }
    return {
      check,
      status: 'warning',
      detail: `the rules that names stand on are not there`,
      fix: 'rack start',
    }
  } catch (error) {
    if (!(error instanceof RackError)) throw error
    return {
      check,
      status: 'warning',
      detail: `${lack}: ${error.message}`,
      ...(error.hint && { fix: error.hint }),
    }
  }
}

/** Said where the networks of a file keep nobody apart. */
export async function examineNetworks(installation: MachineInstallation): Promise<Finding[]> {
  const check = 'networks'
  const open =
    'processes on separate networks of a file and services reach whom they should not, and `internal: true` keeps nobody in'
  try {
    const table = createNameTable(installation)
    const control = { signal: AbortSignal.timeout(10_000) }
    if (!(await table.isThere(control)))
      return [{ check, status: 'warning', detail: `${open}: the rules are not there`, fix: 'rack start' }]
    if (await table.keepsApart(control)) return []
    const fix = 'sudo modprobe br_netfilter, and name it in /etc/modules-load.d'
    return [{ check, status: 'warning', detail: `${open}: this kernel has no rules for bridges`, fix }]
  } catch (error) {
    if (!(error instanceof RackError)) throw error
    return [
      {
        check,
        status: 'warning',
        detail: `${open}: ${error.message}`,
        ...(error.hint && { fix: error.hint }),
      },
    ]
  }
}
