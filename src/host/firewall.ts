import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { formatCidr, parseCidr } from '../lib/cidr.ts'
import type { MachineInstallation } from './installation.ts'
import { createNameTable } from './name-table.ts'
import { absentTable, listTable, nft } from './nft.ts'

/** Where a cloud answers whoever asks from the machine, with the machine's own credentials. */
const linkLocal = '169.254.0.0/16'
/** A packet is for another machine, or for an address of this one. */
const hooks = ['forward', 'input']
/** The table of a rack in the machine's firewall; nobody else writes it. */
export interface Firewall {
  /** Whether processes of the rack are kept from link-local addresses, but for name servers. @throws host-failed where that cannot be told */
  isClosed(control: Pick<Control, 'signal'>): Promise<boolean>
  /** Makes the table as it should be, at once and whole. @throws host-failed */
  close(control: Pick<Control, 'signal'>): Promise<void>
  /** Takes the table away, if it is there. @throws host-failed */
  open(control: Pick<Control, 'signal'>): Promise<void>
}

export function createFirewall({ name, pool }: Pick<MachineInstallation, 'name' | 'pool'>): Firewall {
  const table = `inet rack-${name}`
  const sources = formatCidr(parseCidr(pool.cidr)!)
  const packets = `ip saddr ${sources} ip daddr ${linkLocal}`
  // Name servers of a cloud are there too, which processes ask through Docker's own; they give no credentials.
  const names = ['udp', 'tcp'].map((protocol) => `${packets} ${protocol} dport 53 accept`)
  const rest = `${packets} reject`
  const body = [...names, `${rest} with icmp type admin-prohibited`].join('; ')
  const chains = hooks.map(
    (hook) => `  chain ${hook} { type filter hook ${hook} priority filter - 1; ${body}; }`,
  )
  const absent = absentTable(table)
  const present = [...absent, `table ${table} {`, ...chains, '}']
  return {
    async isClosed(control) {
      const text = await listTable(table, control)
      const chainsOf = text.split(/\bchain /).slice(1)
      return hooks.every((hook) =>
        chainsOf.some(
          (chain) => chain.startsWith(`${hook} `) && [...names, rest].every((rule) => chain.includes(rule)),
        ),
      )
    },
    close: async (control) => void (await nft([present.join('\n')], control)),
    open: async (control) => void (await nft([absent.join('\n')], control)),
  }
}

/** Takes the tables of a rack away that is no more. Where the machine's firewall cannot be had, there are none. */
export async function removeFirewall(
  installation: Pick<MachineInstallation, 'name' | 'pool' | 'names'>,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  try {
    await createFirewall(installation).open(control)
    await createNameTable(installation).remove(control)
  } catch (error) {
    if (!(error instanceof RackError)) throw error
  }
}
